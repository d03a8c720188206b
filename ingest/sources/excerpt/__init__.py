"""A part of a recording: the frames between two times, and every N-th of these."""
