"""Frames a second and processor time on recordings, compared with other software."""
