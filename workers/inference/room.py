"""How many network inputs a pipeline holds at once. This bounds its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

MAX_WAITING_RESULTS = 256
"""Frames that are answered without inference take no room, but keep their pictures until they are committed."""


class Room:
    """Counts the inputs inside a pipeline; any thread may call.

    `waiting_results` returns the number of results that were not collected yet: while MAX_WAITING_RESULTS or more wait,
    nothing is free.
    """

    def __init__(self, capacity: int, waiting_results: Callable[[], int]) -> None:
        self.capacity = capacity
        self._waiting_results = waiting_results
        self._inside = 0
        self._changed = threading.Condition()  # guards `_inside`

    @property
    def inside(self) -> int:
        """Inputs that entered and have not left."""
        return self._inside

    @property
    def free(self) -> int:
        """Inputs that may enter now. A frame of many inputs may exceed the capacity once."""
        return max(0, self.capacity - self._inside) if self._waiting_results() < MAX_WAITING_RESULTS else 0

    def enter(self, inputs: int) -> None:
        """Count `inputs` as inside."""
        with self._changed:
            self._inside += inputs

    def leave(self, inputs: int) -> None:
        """Count `inputs` as gone and wake the thread that waits for room."""
        with self._changed:
            self._inside -= inputs
            self._changed.notify_all()

    def wait_until_half_free(self, timeout_s: float) -> bool:
        """Wait until half of the capacity is free; False if it was not within `timeout_s`.

        Waiting for a single slot would cost a read from the broker for each frame. The engine does not run dry
        meanwhile: it works on the other half.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self.free >= max(1, self.capacity // 2), timeout_s)
