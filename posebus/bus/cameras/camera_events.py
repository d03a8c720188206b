"""The events of what captures a camera: it went online or offline, or lost pictures before they had a number.

Two kinds come from the tracker instead: the end of a source, after its last identity has ended, and numbered frames
that were skipped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from posebus.contract.events import Position, before_frame, camera_event
from posebus.messages import Event, EventType

EVENTS_KEPT = 100


class EventQueue:
    """The events of one camera that are not sent yet; while the broker is away, the newest 100 are kept."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)

    def add(self, kind: EventType, position: Position, data: Mapping[str, Any], now_ns: int) -> None:
        """Queue an event before the frame at `position`; epoch 0 is before the first picture ever."""
        self._events.append(ingest_event(kind, self._camera, position, dict(data), now_ns))

    def waiting(self) -> list[Event]:
        """Return all events that are not sent yet, oldest first."""
        return list(self._events)

    def clear(self) -> None:
        """All waiting events are sent, or another process has taken the camera over."""
        self._events.clear()


def ingest_event(kind: EventType, camera: str, position: Position, data: dict[str, Any], now_ns: int) -> Event:
    """Return an event about `camera` before the frame at `position`; it is detected now, at a Unix time in ns.

    An online event belongs to a frame, so its id is the same whenever that frame is read again. The ids of the others
    contain the time: a camera that cannot be reached has no frames to tell one failure from the next.
    """
    moment = "" if kind is EventType.CAMERA_ONLINE else f"/{position.time_ns}"
    return before_frame(camera_event(kind, camera, position, data, moment), now_ns)
