"""Evidence: snapshots of events from the pictures that ingest keeps, with skeletons drawn and heads blurred; clips."""
