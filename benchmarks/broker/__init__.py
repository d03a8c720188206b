"""The load that one broker carries, and its cost of a frame."""
