"""All events that follow from the tracks of one camera: cuts, lives of tracks, and rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posebus.contract.events import Position, camera_event
from posebus.messages import EndOfStream, Event, EventType, PoseFrame, TrackFrame, TrackState, Uninferred
from tracking.events.lives import TrackEvents
from tracking.rules.of_camera import CameraRules


class CameraEvents:
    """The events of one frame after the other, in the order in which they are published."""

    def __init__(self, camera: str, rules: Mapping[str, Any]) -> None:
        self._camera = camera
        self._lives = TrackEvents(camera)
        self._rules = CameraRules(camera, rules)

    @property
    def rule_problems(self) -> Mapping[str, str]:
        """Why a rule of the camera is off, by its name."""
        return self._rules.problems

    def set_rules(self, rules: Mapping[str, Any]) -> None:
        """Apply these rules from the next frame on; those whose settings are the same go on."""
        self._rules.set(rules)

    def of_frame(self, frame: PoseFrame | Uninferred, tracks: TrackFrame, *, is_cut: bool) -> list[Event]:
        """The events of a frame's tracks; before them, that another shot began (`is_cut`)."""
        motion = frame.camera_motion
        if not is_cut or motion is None:
            return [*self._lives.update(tracks), *self._rules.update(tracks)]
        ended = sum(track.state == TrackState.ENDED for track in tracks.tracks)
        position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
        cut = camera_event(EventType.CAMERA_CUT, self._camera, position, {"shot": motion.shot, "ended": ended})
        return [cut, *self._lives.update(tracks, ended_by="cut"), *self._rules.update(tracks, ended_by="cut")]

    def source_ended(self, end: EndOfStream) -> list[Event]:
        """The events at the end of the source: what is happening ends, then every identity, then the camera."""
        position = Position(end.epoch, end.seq, end.captured_at_ns)
        data = {"frames": end.seq, "reason": end.reason}
        return [
            *self._rules.end(end),
            *self._lives.source_ended(end),
            camera_event(EventType.CAMERA_ENDED, self._camera, position, data),
        ]

    def state_dict(self) -> dict[str, Any]:
        """State for a tracker's snapshot."""
        return {"lives": self._lives.state_dict(), "rules": self._rules.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        if "rules" not in state:  # of a release that had the lives of tracks alone here
            self._lives.load_state(dict(state))
            return
        self._lives.load_state(state["lives"])
        self._rules.load_state(state["rules"])
