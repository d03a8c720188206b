"""Which frames of a recording belong to a part of it. Pure; times count from the first frame."""

from __future__ import annotations

US = 1_000_000


class Selection:
    """Decides which pictures of a recording belong to the part: `start_s` <= time < `end_s`, of these every N-th. Pure.

    Times are compared in whole microseconds, since those of most containers are no whole nanoseconds.
    """

    def __init__(self, start_s: float, end_s: float | None, every: int) -> None:
        self._start_us = round(start_s * US)
        self._end_us = None if end_s is None else round(end_s * US)
        self._every = every
        self.within = 0
        """Pictures between the two times so far, the unselected ones included."""
        self.last_ns: int | None = None
        """Time of the last picture that was considered."""

    def after(self, time_ns: int) -> bool:
        """Return whether the part is over at `time_ns`."""
        return self._end_us is not None and _in_us(time_ns) >= self._end_us

    def selects(self, time_ns: int) -> bool:
        """Return whether the picture at `time_ns` is wanted; call it once for each picture, in order."""
        self.last_ns = time_ns
        if _in_us(time_ns) < self._start_us or self.after(time_ns):
            return False
        self.within += 1
        return (self.within - 1) % self._every == 0


def _in_us(time_ns: int) -> int:
    return (time_ns + 500) // 1000
