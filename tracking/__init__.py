"""Tracking: restores the order of frames, links poses into identities, publishes tracks and their events."""

from tracking.tracker import PoseTracker

__all__ = ["PoseTracker"]
