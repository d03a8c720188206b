"""Read a source in a thread of its own: connection, hand-over between threads, and counts of lost pictures."""
