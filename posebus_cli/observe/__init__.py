"""The commands that show a running deployment: watch, top, explain, evidence, dead, metrics."""
