"""Synthetic scenes of walking people with exact ground truth."""
