"""All events that follow from the tracks of one camera: cuts, and those of its tracks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posebus.contract.events import Position, camera_event
from posebus.messages import EndOfStream, Event, EventType, PoseFrame, TrackFrame, TrackState, Uninferred
from tracking.events.of_tracks import EventsOfTracks


class CameraEvents:
    """The events of one frame after the other, in the order in which they are published."""

    def __init__(self, camera: str, rules: Mapping[str, Any]) -> None:
        self._camera = camera
        self._of_tracks = EventsOfTracks(camera, rules)

    @property
    def rule_problems(self) -> Mapping[str, str]:
        """Why a rule of the camera is off, by its name."""
        return self._of_tracks.rules.problems

    def set_rules(self, rules: Mapping[str, Any]) -> None:
        """Apply these rules from the next frame on; those whose settings are the same go on."""
        self._of_tracks.rules.set(rules)

    def of_frame(self, frame: PoseFrame | Uninferred, tracks: TrackFrame, *, is_cut: bool) -> list[Event]:
        """The events of a frame's tracks; before them, that another shot began (`is_cut`)."""
        motion = frame.camera_motion
        if not is_cut or motion is None:
            return self._of_tracks.update(tracks)
        ended = sum(track.state == TrackState.ENDED for track in tracks.tracks)
        position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
        cut = camera_event(EventType.CAMERA_CUT, self._camera, position, {"shot": motion.shot, "ended": ended})
        return [cut, *self._of_tracks.update(tracks, "cut")]

    def source_ended(self, end: EndOfStream) -> list[Event]:
        """The events at the end of the source: those of its tracks, then that of the camera."""
        position = Position(end.epoch, end.seq, end.captured_at_ns)
        data = {"frames": end.seq, "reason": end.reason}
        ended = camera_event(EventType.CAMERA_ENDED, self._camera, position, data)
        return [*self._of_tracks.source_ended(end), ended]

    def state_dict(self) -> dict[str, Any]:
        """State for a tracker's snapshot."""
        return self._of_tracks.state_dict()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        self._of_tracks.load_state(state)
