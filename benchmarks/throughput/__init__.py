"""Frames per second and processor time of recordings, against peers."""
