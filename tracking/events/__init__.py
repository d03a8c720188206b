"""The events that follow from the tracks of a camera: cuts, the lives of tracks, and those of rules. Pure."""

from tracking.events.camera_events import CameraEvents as CameraEvents
from tracking.events.lives import TrackEvents as TrackEvents
