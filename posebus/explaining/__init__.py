"""Explaining how the frames of a camera are inferred now and why: what is read for it, and its lines of text."""
