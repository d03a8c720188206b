"""Changing a configuration file: single fields in its text, checked as a whole, and replaced at once."""
