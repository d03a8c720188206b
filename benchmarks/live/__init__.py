"""Live cameras below and above what the workers can do."""
