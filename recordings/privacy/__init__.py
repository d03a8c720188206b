"""Heads in the pictures of a recording, also in the frames between those in which people were detected."""
