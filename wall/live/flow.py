"""How many frames of a camera are on the way to a page, and how many messages come from it. Pure: time is given."""

from __future__ import annotations

from collections import deque

MOST_ON_THE_WAY = 2
"""Frames of a camera that a page has not confirmed: one on the wire while it shows another. More would be delay."""

FrameId = tuple[int, int]
"""Epoch and number of a frame of one camera."""


class TileFlow:
    """The frames of one camera that were sent to one page."""

    def __init__(self) -> None:
        self._on_the_way: deque[FrameId] = deque()
        self._due_at_s = float("-inf")
        self.newest: FrameId | None = None
        """The newest frame that was sent."""

    def wait_s(self, now_s: float) -> float | None:
        """Return how long to wait before the next frame, 0 if it may go now; None if one has to be confirmed first."""
        if len(self._on_the_way) >= MOST_ON_THE_WAY:
            return None
        return max(0.0, self._due_at_s - now_s)

    def sent(self, frame: FrameId, now_s: float, max_fps: float) -> None:
        """`frame` goes now. A camera that is a little late once may be a little early the next time."""
        self._on_the_way.append(frame)
        self.newest = frame
        interval_s = 1 / max_fps
        self._due_at_s = max(self._due_at_s, now_s - interval_s) + interval_s

    def shown(self, frame: FrameId) -> bool:
        """Confirm `frame`, and all that were sent before it; False if it is not on the way."""
        if frame not in self._on_the_way:
            return False
        while self._on_the_way.popleft() != frame:
            pass
        return True


class MessageAllowance:
    """So many things a second, and so many at once."""

    def __init__(self, a_second: float, at_once: float) -> None:
        self._a_second, self._at_once = a_second, at_once
        self._left = at_once
        self._at_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Whether one more is allowed now."""
        if self._at_s is not None:
            self._left = min(self._at_once, self._left + (now_s - self._at_s) * self._a_second)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
