"""Decide which frames of a camera are inferred, and by which views: frame selector, motion model and gate."""
