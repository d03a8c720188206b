"""This machine: its processors, scratch folders that are always deleted, kept pictures, stacks of a hanging process."""
