"""The commands that show a running deployment: watch, top, explain, dead, metrics."""
