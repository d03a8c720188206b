"""The rules of a camera whose settings and picture size are not known from the start, and may change. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posebus.messages import EndOfStream, Event, TrackFrame
from tracking.rules.engine import Rules


class CameraRules:
    """Opens the rules with the first frame, whose size their points need. Wrong rules are off, with a reason."""

    def __init__(self, camera: str, rules: Mapping[str, Any]) -> None:
        self._camera = camera
        self._wanted = rules
        self._opened: Rules | None = None

    @property
    def problems(self) -> Mapping[str, str]:
        """Why a rule is off, by its name."""
        return {} if self._opened is None else self._opened.problems

    def set(self, rules: Mapping[str, Any]) -> None:
        """Apply `rules` from the next frame on. What the unchanged ones remember stays."""
        if rules == self._wanted:
            return
        self._wanted = rules
        if self._opened is not None:
            self.load_state(self._opened.state_dict())

    def update(self, frame: TrackFrame, ended_by: str = "unseen") -> list[Event]:
        """The events of a frame; see `Rules.update`."""
        if self._opened is None:
            if not self._wanted:
                return []
            self._opened = Rules(self._wanted, self._camera, frame.size_px, skip_wrong=True)
        return self._opened.update(frame, ended_by)

    def end(self, mark: EndOfStream) -> list[Event]:
        """The events at the end of the source; see `Rules.end`."""
        return [] if self._opened is None else self._opened.end(mark)

    def state_dict(self) -> Mapping[str, Any] | None:
        """What the rules remember; None before the first frame."""
        return None if self._opened is None else self._opened.state_dict()

    def load_state(self, state: Mapping[str, Any] | None) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        self._opened = None
        if state is not None:
            width_px, height_px = state["size_px"]
            opened = Rules(self._wanted, self._camera, (int(width_px), int(height_px)), skip_wrong=True)
            opened.load_state(state)
            self._opened = opened
