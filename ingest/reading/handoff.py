"""The queue between the thread that reads a source and the thread that publishes."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

LOSSLESS_CAPACITY = 2
"""Pictures decoded ahead: enough for decoding and publishing to overlap, few enough to cost little memory."""
LIVE_CAPACITY = 4
"""Networks deliver in bursts: a few pictures that came together are all published; more would be old."""


class Handoff(Generic[T]):
    """Passes items from one writing to one reading thread: only the freshest, or all while the writer waits."""

    def __init__(self, *, freshest_wins: bool) -> None:
        """If full: with `freshest_wins` a new item replaces the oldest; otherwise `put` waits for room."""
        self._condition = threading.Condition()
        self._items: deque[T] = deque()
        self._freshest_wins = freshest_wins
        self._replaced = 0
        self._finished = False
        self._error: Exception | None = None

    def put(self, item: T, timeout_s: float) -> bool:
        """Add `item`; return False if there was no room within `timeout_s` (it can be put again)."""
        with self._condition:
            if self._freshest_wins:
                while len(self._items) >= LIVE_CAPACITY:
                    self._items.popleft()
                    self._replaced += 1
            elif not self._condition.wait_for(lambda: len(self._items) < LOSSLESS_CAPACITY, timeout_s):
                return False
            self._items.append(item)
            self._condition.notify_all()
            return True

    def finish(self, error: Exception | None = None) -> None:
        """The writer has ended: regularly, or because of `error`."""
        with self._condition:
            self._finished = True
            self._error = error
            self._condition.notify_all()

    def take(self, timeout_s: float) -> T | None:
        """Return the next item; None if none came in time or none will come.

        Raises the writer's error after its last item.
        """
        with self._condition:
            self._condition.wait_for(lambda: bool(self._items) or self._finished, timeout_s)
            if self._items:
                item = self._items.popleft()
                self._condition.notify_all()
                return item
            if self._error is not None:
                raise self._error
            return None

    @property
    def finished(self) -> bool:
        """Whether the writer has ended and everything was taken."""
        with self._condition:
            return self._finished and not self._items

    @property
    def replaced(self) -> int:
        """How many items have been dropped because fresher ones came."""
        with self._condition:
            return self._replaced
