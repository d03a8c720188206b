"""Publish pictures: their size and encoding, frame numbers, the budget of the backlog, and events of the camera."""
