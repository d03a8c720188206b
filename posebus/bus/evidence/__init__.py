"""Evidence of events in the broker: the ring of reduced pictures of each camera, and the snapshots made from it."""
