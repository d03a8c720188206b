"""The settings of one camera: its fields and their defaults, its region and schedule, and which cameras run now."""
