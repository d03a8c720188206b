"""Reading a source in a thread: connection, hand-over, and what was lost."""
