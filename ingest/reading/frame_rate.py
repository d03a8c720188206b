"""The rate at which frames come, or are sent."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

RATE_FRAMES = 50
STALE_S = 2.0


class CameraRates(NamedTuple):
    """Frames per second of one camera: those that are published, those that its source sends, and those that the source
    says it sends. None where it is unknown."""

    published: float
    sent: float | None = None
    nominal: float | None = None


class FrameRate:
    """Frames per second over the last of them. One thread may add frames while another one asks for the rate."""

    def __init__(self) -> None:
        self._at_s: deque[float] = deque(maxlen=RATE_FRAMES)

    def add(self, now_s: float) -> None:
        """A frame came or was sent (monotonic)."""
        self._at_s.append(now_s)

    def fps(self, now_s: float) -> float:
        """0 where the last frame is older than two seconds."""
        times = self._at_s.copy()
        if len(times) < 2 or now_s - times[-1] > STALE_S or times[-1] <= times[0]:
            return 0.0
        return round((len(times) - 1) / (times[-1] - times[0]), 1)
