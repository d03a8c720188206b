"""The events that follow from the tracks of a camera: cuts, lives and journeys of tracks, and those of rules. Pure."""

from tracking.events.camera_events import CameraEvents as CameraEvents
from tracking.events.journeys import Journeys as Journeys
from tracking.events.lives import TrackEvents as TrackEvents
from tracking.events.of_tracks import EventsOfTracks as EventsOfTracks
