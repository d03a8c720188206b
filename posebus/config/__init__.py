"""Settings: all fields with unit and limits, and the merging of file, environment and command-line options."""
