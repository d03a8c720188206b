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
        self._state: Mapping[str, Any] | None = None
        """Of another process, or of rules with other settings; loaded when the rules are opened."""

    @property
    def problems(self) -> Mapping[str, str]:
        """Why a rule is off, by its name."""
        return {} if self._opened is None else self._opened.problems

    def set(self, rules: Mapping[str, Any]) -> None:
        """Apply `rules` from the next frame on. What the unchanged ones remember stays."""
        if rules != self._wanted:
            self._state = self.state_dict()
            self._wanted, self._opened = rules, None

    def update(self, frame: TrackFrame, ended_by: str = "unseen") -> list[Event]:
        """The events of a frame; see `Rules.update`."""
        if self._opened is None:
            if not self._wanted and self._state is None:
                return []
            self._opened = Rules(self._wanted, self._camera, frame.size_px, skip_wrong=True)
            if self._state is not None:
                self._opened.load_state(self._state)
                self._state = None
        return self._opened.update(frame, ended_by)

    def end(self, mark: EndOfStream) -> list[Event]:
        """The events at the end of the source; see `Rules.end`."""
        return [] if self._opened is None else self._opened.end(mark)

    def state_dict(self) -> Mapping[str, Any] | None:
        """What the rules remember; None before the first frame."""
        return self._state if self._opened is None else self._opened.state_dict()

    def load_state(self, state: Mapping[str, Any] | None) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        self._opened = None
        self._state = state
        if state is not None:
            # Here and not with the first frame: a snapshot that cannot be used is replaced as a whole.
            Rules(self._wanted, self._camera, (1, 1), skip_wrong=True).load_state(state)
