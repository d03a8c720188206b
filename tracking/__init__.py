"""Tracking: the frame order restored, poses linked into identities, tracks and their events published."""

from tracking.tracker import PoseTracker

__all__ = ["PoseTracker"]
