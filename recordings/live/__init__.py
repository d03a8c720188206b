"""Live sources: what a run of cameras records and draws, their names and one picture of each, and the demo."""
