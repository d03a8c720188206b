"""The time of all rules of a camera: captured time that has passed, which never goes back, and durations. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NS_PER_S = 1_000_000_000
ROUNDING_NS = 1_000_000
"""Frame rates whose interval is no whole number of nanoseconds must not be a frame late."""
STEADY_NS = 2 * NS_PER_S
"""Frames that are less apart show all that happens between them."""
LONGEST_NS = 366 * 86_400 * NS_PER_S
"""A longer interval is none: the camera's clock was set, as from 1970 to the present."""
GAP_FACTOR = 3
"""An interval that is so many times the one before is a gap in the stream."""


def nanoseconds(seconds: float) -> int:
    """Return a setting in seconds as the least time between frames that counts as so long."""
    return max(round(seconds * NS_PER_S) - ROUNDING_NS, 0)


def seconds(time_ns: int) -> float:
    """Return a duration as events have it."""
    return round(time_ns / NS_PER_S, 3)


class Clock:
    """Times of this frame and of the one before, in nanoseconds since the rules began.

    A clock of a camera that stands still, is set or goes back, as that of a recording which begins again, adds no time.
    now_ns, before_ns: all time. watched_ns, watched_before_ns: the time in which the picture was watched; an unusually
    long interval between two frames adds none. A camera that sends a frame every minute has long intervals, but usual
    ones.
    """

    __slots__ = ("_captured_at_ns", "_interval_ns", "before_ns", "now_ns", "watched_before_ns", "watched_ns")

    def __init__(self) -> None:
        self.now_ns = self.before_ns = self.watched_ns = self.watched_before_ns = 0
        self._captured_at_ns: int | None = None
        self._interval_ns = 0

    def tick(self, captured_at_ns: int) -> None:
        """Note a frame."""
        passed_ns = 0 if self._captured_at_ns is None else captured_at_ns - self._captured_at_ns
        self._captured_at_ns = captured_at_ns
        self.before_ns, self.watched_before_ns = self.now_ns, self.watched_ns
        if 0 < passed_ns <= LONGEST_NS:
            self.now_ns += passed_ns
            if passed_ns <= STEADY_NS or passed_ns <= GAP_FACTOR * self._interval_ns:
                self.watched_ns += passed_ns
        self._interval_ns = passed_ns

    def state_dict(self) -> dict[str, Any]:
        """The times, as JSON values."""
        return {
            "now_ns": self.now_ns,
            "watched_ns": self.watched_ns,
            "captured_at_ns": self._captured_at_ns,
            "interval_ns": self._interval_ns,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        self.now_ns, self.watched_ns = int(state["now_ns"]), int(state["watched_ns"])
        captured_at_ns = state["captured_at_ns"]
        self._captured_at_ns = None if captured_at_ns is None else int(captured_at_ns)
        self._interval_ns = int(state["interval_ns"])
        self.before_ns, self.watched_before_ns = self.now_ns, self.watched_ns
