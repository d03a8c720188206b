"""The events that ingest itself emits: a camera goes online, goes offline, or lost pictures before they had a number.

Pure. The end of a source is told by the tracker, after the last identity has ended; numbered frames that were skipped
as well.
"""

from __future__ import annotations

from typing import Any

from posebus.events import Position, camera_event
from posebus.messages import Event, EventType


def ingest_event(kind: EventType, camera: str, position: Position, data: dict[str, Any]) -> Event:
    """An event about `camera` before the frame at `position`; epoch 0 is before the first picture ever.

    Being online belongs to a frame, so its id is the same whenever that frame is read again. The others hold the time:
    a camera that cannot be reached has no frame that would tell one failure from the next.
    """
    moment = "" if kind is EventType.CAMERA_ONLINE else f"/{position.time_ns}"
    return camera_event(kind, camera, position, data, moment)


class LossReport:
    """Turns growing counts of lost pictures into what has to be said, at most once in `every_s`."""

    def __init__(self, every_s: float = 1.0) -> None:
        self._every_s = every_s
        self._said: dict[str, int] = {}
        self._next_s = 0.0

    def due(self, lost: dict[str, int], now_s: float) -> dict[str, int]:
        """Losses by reason since the last report, empty where there is nothing to say yet. `lost` are totals."""
        if now_s < self._next_s:
            return {}
        news = {reason: count - self._said.get(reason, 0) for reason, count in lost.items()}
        news = {reason: count for reason, count in news.items() if count > 0}
        if news:
            self._said = dict(lost)
            self._next_s = now_s + self._every_s
        return news
