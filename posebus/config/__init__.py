"""Settings: every field with its unit and limits, and how file, environment and command-line options become one."""
