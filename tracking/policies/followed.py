"""Whether frames of a camera are inferred often enough that people can be followed from one to the next. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import median
from typing import Any, NamedTuple

from posebus.config.low_rates import at_least, low_rate_advice
from posebus.config.policies import Policies
from posebus.contract.events import Position, camera_event
from posebus.messages import Event, EventType, PoseFrame, Uninferred

KEPT = 5
LEAST = 3
"""Of the last KEPT intervals the median counts, if there are LEAST: one gap is no rate."""
JITTER = 1.1
"""Measured intervals waver: one that is longer than allowed by less than this is none."""

STILL = "still"
"""The reason of frames that the motion gate leaves out, as in `Uninferred`."""


class _Interval(NamedTuple):
    """Time between two inferred frames of one epoch, and how many frames were skipped in it."""

    elapsed_ns: int
    skipped: int


class RateCheck:
    """Measures the rate of inferred frames of one camera. What the motion gate left out has no rate."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._intervals: deque[_Interval] = deque(maxlen=KEPT)
        self._last: tuple[int, int] | None = None
        self._skipped = 0
        self._announced: int | None = None

    def inferred(self, frame: PoseFrame) -> list[Event]:
        """Take an inferred frame; returns an event if there is new advice: once in an epoch."""
        if self._last is not None and self._last[0] == frame.epoch and frame.captured_at_ns > self._last[1]:
            self._intervals.append(_Interval(frame.captured_at_ns - self._last[1], self._skipped))
        self._last, self._skipped = (frame.epoch, frame.captured_at_ns), 0
        if self._announced == frame.epoch or self.advice is None:
            return []
        self._announced = frame.epoch
        data = {"interval_s": self.interval_s, "advice": self.advice}
        position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
        return [camera_event(EventType.CAMERA_RATE, frame.camera, position, data)]

    def not_inferred(self, frame: Uninferred) -> None:
        """Take a frame that was not inferred. If nothing moved, the interval does not count: no person had to be
        followed."""
        if frame.reason == STILL:
            self._last = None

    def skipped(self, frames: int) -> None:
        """Take frames that were not inferred in time."""
        self._skipped += frames

    @property
    def interval_s(self) -> float | None:
        """Median of the last intervals; None until there are enough."""
        if len(self._intervals) < LEAST:
            return None
        return median(one.elapsed_ns for one in self._intervals) / 1e9

    @property
    def advice(self) -> str | None:
        """A sentence for users if people who walk cannot be followed, else None."""
        interval_s = self.interval_s
        if interval_s is None or low_rate_advice(interval_s / JITTER, "") is None:
            return None
        return low_rate_advice(interval_s, self._remedy(interval_s))

    def _remedy(self, interval_s: float) -> str:
        wanted_fps = self.policies.infer_fps
        if isinstance(wanted_fps, float | int) and interval_s < 2.0 / wanted_fps:
            return at_least("infer_fps")
        if median(one.skipped for one in self._intervals) >= 1:
            return "start more workers, on cores of their own, or use a smaller imgsz"
        return f"{at_least('max_fps')}, or let the source give more"

    def state_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "intervals": [list(one) for one in self._intervals],
            "last": None if self._last is None else list(self._last),
            "skipped": self._skipped,
            "announced": self._announced,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError."""
        self._intervals = deque((_Interval(int(ns), int(frames)) for ns, frames in state["intervals"]), maxlen=KEPT)
        last, announced = state["last"], state["announced"]
        self._last = None if last is None else (int(last[0]), int(last[1]))
        self._skipped = int(state["skipped"])
        self._announced = None if announced is None else int(announced)
