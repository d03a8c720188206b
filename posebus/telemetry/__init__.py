"""What processes measure and report, and the views that are computed from it."""
