"""Keypoints computed on crops of people whose boxes are known: one person per crop."""
