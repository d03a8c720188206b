"""Rate cap and playback pace. Pure: times are arguments."""

from __future__ import annotations

EARLY_FRACTION = 0.5
"""A picture is admitted up to this many intervals before its slot: the nearest picture to a slot, not the next one."""


class RateCap:
    """Admits at most `max_fps` pictures a second by their capture times, and nearly as many if the source has more.

    Slots are one interval apart and keep their grid while pictures keep coming, so that 25 fps capped at 10 gives 10
    on average (a minimum distance between pictures would give 8.3). Any window of T seconds holds at most
    T * max_fps + 2.5 admitted pictures.
    """

    def __init__(self, max_fps: float | None) -> None:
        """With None, every picture is admitted."""
        self._interval_ns = None if max_fps is None else 1e9 / max_fps
        self._due_ns: float | None = None
        self._last_ns = 0

    def admit(self, captured_at_ns: int) -> bool:
        """Return whether to take the picture of this time. Call it once for each picture, in order."""
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
    """Plays a recording at its own pace: it computes how long to wait before each picture."""

    def __init__(self, max_wait_s: float | None = None) -> None:
        """A wait above `max_wait_s` is a jump of the time line: playback continues from there at once."""
        self._max_wait_s = max_wait_s
        self._origin_s: float | None = None
        self._last_ns = 0

    def wait_s(self, captured_at_ns: int, now_s: float) -> float:
        """Return the seconds from `now_s` (monotonic) until the picture is due, 0 if it is late."""
        if self._origin_s is None or captured_at_ns < self._last_ns:
            self._origin_s = now_s - captured_at_ns / 1e9
        self._last_ns = captured_at_ns
        wait_s = self._origin_s + captured_at_ns / 1e9 - now_s
        if self._max_wait_s is not None and wait_s > self._max_wait_s:
            self._origin_s -= wait_s
            return 0.0
        return max(0.0, wait_s)
