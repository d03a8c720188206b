"""When to take or show a picture: rate cap and playback pace. Pure: times come in as arguments."""

from __future__ import annotations

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
