"""`camera.gap` events: every skipped frame is reported, in one event per second at most."""

from __future__ import annotations

from collections import Counter
from typing import Any

from posebus.contract.events import Position, camera_event
from posebus.messages import Event, EventType

REPORT_EVERY_NS = 1_000_000_000


class GapReporter:
    """Collects skipped frames of one camera; in overload every second frame may be one, too many for an event each."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._epoch = 0
        self._first_seq = 0
        self._last_seq = 0
        self._began_at_ns = 0
        self._reasons: Counter[str] = Counter()

    def skipped(self, epoch: int, first_seq: int, last_seq: int, at_ns: int, reason: str) -> list[Event]:
        """Record that frames `first_seq` to `last_seq` will never come; returns the events that are due.

        `at_ns`: the camera's time. `reason`: why they were skipped.
        """
        events = self.flush() if self._reasons and epoch != self._epoch else []
        if not self._reasons:
            self._epoch, self._first_seq, self._began_at_ns = epoch, first_seq, at_ns
        self._last_seq = last_seq
        self._reasons[reason] += last_seq - first_seq + 1
        return events + self.advance_to(at_ns)

    def advance_to(self, at_ns: int) -> list[Event]:
        """Move the camera's time to `at_ns`; returns the event that is due, if any."""
        return self.flush() if self._reasons and at_ns - self._began_at_ns >= REPORT_EVERY_NS else []

    def flush(self) -> list[Event]:
        """The event for all skipped frames that were not reported yet, if any."""
        if not self._reasons:
            return []
        position = Position(self._epoch, self._first_seq, self._began_at_ns)
        data = {
            "first_seq": self._first_seq,
            "last_seq": self._last_seq,
            "skipped": sum(self._reasons.values()),
            "reasons": dict(self._reasons),
        }
        self._reasons = Counter()
        return [camera_event(EventType.CAMERA_GAP, self._camera, position, data)]

    def state_dict(self) -> dict[str, Any]:
        """JSON values for `load_state`."""
        return {
            "epoch": self._epoch,
            "first_seq": self._first_seq,
            "last_seq": self._last_seq,
            "began_at_ns": self._began_at_ns,
            "reasons": dict(self._reasons),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self._epoch = state["epoch"]
        self._first_seq = state["first_seq"]
        self._last_seq = state["last_seq"]
        self._began_at_ns = state["began_at_ns"]
        self._reasons = Counter(state["reasons"])
