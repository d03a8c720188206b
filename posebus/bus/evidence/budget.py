"""How many pictures a ring may hold, within its bytes and seconds. Pure."""

from __future__ import annotations

from collections import deque


class RingBudget:
    """The pictures of one ring, oldest first, as its only writer counts them."""

    def __init__(self, seconds: float, max_bytes: int) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._pictures: deque[tuple[float, int]] = deque()  # when it was added (monotonic), bytes
        self._bytes = 0

    def found(self, number: int, mean_bytes: int, now_s: float) -> None:
        """Count the pictures of an earlier writer as if they were new: their age is not known by this clock."""
        self._pictures.extend((now_s, mean_bytes) for _ in range(number))
        self._bytes += number * mean_bytes

    def add(self, size_bytes: int, now_s: float) -> int:
        """Count one more picture; returns how many, this one included, the ring may hold: at least one."""
        self._pictures.append((now_s, size_bytes))
        self._bytes += size_bytes
        while len(self._pictures) > 1 and self._exceeds(now_s):
            self._bytes -= self._pictures.popleft()[1]
        return len(self._pictures)

    def _exceeds(self, now_s: float) -> bool:
        return self._bytes > self._max_bytes or now_s - self._pictures[0][0] > self._seconds
