"""Live cameras below and above the capacity of the workers."""
