"""How many frames a second a page may send, by how many of them wait in the broker. Pure.

A frame that waits gets older, and so do all behind it. So the rate stays just below that at which results come: it
grows slowly while nothing waits, and falls to what was measured as soon as a frame waits for another one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MAX_FPS, MIN_FPS = 30.0, 1.0
FIRST_FPS = 10.0
GROWTH_PER_S, LEAST_GROWTH = 0.25, 2.0
"""While nothing waits, the rate grows by this part of itself in a second, or by so many frames a second: it soon
recovers from the first frame of a size, which takes workers a second."""
BELOW = 0.9
"""After frames had to wait, the rate is this part of the measured one, so that those that wait are worked off."""
WINDOW_S = 2.0
MAY_WAIT = 1
"""The frame that was just sent waits in any case."""
SETTLE_S = 0.5
"""After the rate was lowered, it is not lowered again before this shows."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a page may do from now on: frames a second, and how many may be on the way at once."""

    fps: float
    on_the_way: int


class SendingRate:
    """Follows the frames of one camera."""

    def __init__(self, max_fps: float = MAX_FPS) -> None:
        self._max_fps = max_fps
        self._fps = min(FIRST_FPS, max_fps)
        self._done: deque[tuple[float, int]] = deque()  # (monotonic time, frames that have results)
        self._sent = 0
        self._updated_at_s: float | None = None
        self._lowered_at_s = float("-inf")

    def sent(self, waiting: int, now_s: float) -> Allowed:
        """Return what is allowed after one more frame was sent; `waiting`: with it, frames without results."""
        self._sent += 1
        self._done.append((now_s, max(0, self._sent - waiting)))
        while now_s - self._done[0][0] > WINDOW_S:
            self._done.popleft()
        passed_s = 0.0 if self._updated_at_s is None else min(1.0, now_s - self._updated_at_s)
        self._updated_at_s = now_s
        if waiting <= MAY_WAIT:
            self._fps = min(self._max_fps, self._fps + passed_s * max(LEAST_GROWTH, GROWTH_PER_S * self._fps))
        elif now_s - self._lowered_at_s >= SETTLE_S:
            self._lowered_at_s = now_s
            self._fps = min(self._fps, max(MIN_FPS, BELOW * self._measured_fps()))
        return Allowed(round(self._fps, 2), 2 if waiting <= MAY_WAIT else 1)

    def _measured_fps(self) -> float:
        """Results a second over the window; the present rate before there is enough of it."""
        (first_s, first), (last_s, last) = self._done[0], self._done[-1]
        if last_s - first_s < SETTLE_S:
            return self._fps
        return max(0, last - first) / (last_s - first_s)
