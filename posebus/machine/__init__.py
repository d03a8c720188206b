"""This machine: its processors, scratch folders that are always deleted, and the stacks of a process that hangs."""
