"""The events of a camera's tracks: their lives, those of rules, and their journeys. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posebus.messages import EndOfStream, Event, TrackFrame
from tracking.events.journeys import Journeys
from tracking.events.lives import TrackEvents
from tracking.rules.of_camera import CameraRules


class EventsOfTracks:
    """Derives all events from frames of tracks alone, in the tracker and again from frames with final numbers."""

    def __init__(self, camera: str, rules: Mapping[str, Any]) -> None:
        self.rules = CameraRules(camera, rules)
        """The rules of the camera, which may be changed at any time."""
        self._lives = TrackEvents(camera)
        self._journeys = Journeys(camera)

    def update(self, frame: TrackFrame, ended_by: str = "unseen") -> list[Event]:
        """The events of one frame. `ended_by` is the reason of the tracks that the frame ends."""
        lives, rules = self._lives.update(frame, ended_by), self.rules.update(frame, ended_by)
        self._journeys.see(frame)
        self._journeys.note(rules)
        return [*lives, *rules, *self._journeys.finished(lives, frame)]

    def source_ended(self, end: EndOfStream) -> list[Event]:
        """The events at the end of the source: what is happening ends, then every identity, then its journey."""
        rules, lives = self.rules.end(end), self._lives.source_ended(end)
        self._journeys.note(rules)
        return [*rules, *lives, *self._journeys.finished(lives)]

    def state_dict(self) -> dict[str, Any]:
        """State for a tracker's snapshot."""
        return {
            "lives": self._lives.state_dict(),
            "rules": self.rules.state_dict(),
            "journeys": self._journeys.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        if "rules" not in state:  # of a release that had the lives of tracks alone here
            self._lives.load_state(dict(state))
            return
        self._lives.load_state(state["lives"])
        self.rules.load_state(state["rules"])
        if "journeys" in state:  # of a release without finished tracks
            self._journeys.load_state(state["journeys"])
