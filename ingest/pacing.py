"""When to take, show or try again: rate cap, playback pace, backoff. Pure: times come in as arguments."""

from __future__ import annotations

import random

EARLY_FRACTION = 0.5
"""How far ahead of its turn, in cap intervals, a picture is taken: the nearest picture to each turn, not the next."""


class RateCap:
    """Admits at most `max_fps` pictures a second by their capture times, and close to that where there are more.

    Turns are one interval apart and keep their grid while pictures keep coming, so that 25 fps capped at 10 gives 10
    on average (a least distance between pictures would give 8.3). Any window of T seconds holds at most
    T * max_fps + 2.5 admitted pictures.
    """

    def __init__(self, max_fps: float | None) -> None:
        """None admits everything."""
        self._interval_ns = None if max_fps is None else 1e9 / max_fps
        self._due_ns: float | None = None
        self._last_ns = 0

    def admit(self, captured_at_ns: int) -> bool:
        """Whether the picture of this time is taken. Call it once for each picture, in order."""
        interval_ns = self._interval_ns
        if interval_ns is None:
            return True
        if self._due_ns is None or captured_at_ns < self._last_ns:
            self._due_ns = float(captured_at_ns)
        self._last_ns = captured_at_ns
        if captured_at_ns < self._due_ns - EARLY_FRACTION * interval_ns:
            return False
        on_grid = captured_at_ns < self._due_ns + interval_ns
        self._due_ns = (self._due_ns if on_grid else captured_at_ns) + interval_ns
        return True


class RealtimePacer:
    """Shows a recording at its own pace: how long to wait before each picture."""

    def __init__(self, max_wait_s: float | None = None) -> None:
        """A wait above `max_wait_s` is taken for a jump of the time line: it goes on at once from there."""
        self._max_wait_s = max_wait_s
        self._origin_s: float | None = None
        self._last_ns = 0

    def wait_s(self, captured_at_ns: int, now_s: float) -> float:
        """Seconds from `now_s` (monotonic) until the picture is due, 0 if it is late."""
        if self._origin_s is None or captured_at_ns < self._last_ns:
            self._origin_s = now_s - captured_at_ns / 1e9
        self._last_ns = captured_at_ns
        wait_s = self._origin_s + captured_at_ns / 1e9 - now_s
        if self._max_wait_s is not None and wait_s > self._max_wait_s:
            self._origin_s -= wait_s
            return 0.0
        return max(0.0, wait_s)


class Backoff:
    """Pauses between attempts: doubling from `min_s` to `max_s`, each drawn from its upper half.

    The jitter keeps cameras that went down together from coming back in step ("equal jitter", Brooker, Exponential
    Backoff And Jitter, AWS Architecture Blog 2015).
    """

    def __init__(self, min_s: float, max_s: float, rng: random.Random) -> None:
        self._min_s = min_s
        self._max_s = max(min_s, max_s)
        self._rng = rng
        self._attempts = 0

    def next_s(self) -> float:
        """The pause before the next attempt, in seconds."""
        ceiling_s = min(self._max_s, self._min_s * 2.0 ** min(self._attempts, 60))
        self._attempts += 1
        return ceiling_s * self._rng.uniform(0.5, 1.0)

    def longest_s(self) -> float:
        """A pause for what will not be better soon, in seconds."""
        return self._max_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """An attempt succeeded: start from the shortest pause again."""
        self._attempts = 0
