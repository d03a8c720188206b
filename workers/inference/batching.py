"""Which inputs the engine infers together. Pure policy: the time is an argument."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_WAIT_S = 0.01
"""How long an input waits for others of its batch while the engine is busy."""


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Item]):
    """An item that waits for its batch. Times are monotonic seconds; items of equal `shape` may share a batch."""

    item: Item
    shape: Hashable
    since_s: float
    expires_at_s: float = math.inf


class BatchFormer(Generic[Item]):
    """Forms batches by size, deadline and age.

    A batch is ready when it is full, when its oldest item has waited `max_wait_s`, or at once while the engine is idle,
    because waiting then gains nothing. Expired items are returned by `pop_expired` and not inferred. The shape with the
    oldest item goes first, and items of one shape keep their order.
    """

    def __init__(self, batch: int, max_wait_s: float = MAX_WAIT_S) -> None:
        self._batch = batch
        self._max_wait_s = max_wait_s
        self._groups: dict[Hashable, deque[Waiting[Item]]] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """Return how many items wait."""
        return self._waiting

    def add(self, waiting: Waiting[Item]) -> None:
        """Add an item. Calls must be in the order of `since_s`."""
        self._groups.setdefault(waiting.shape, deque()).append(waiting)
        self._waiting += 1

    def pop_expired(self, now_s: float) -> list[Item]:
        """Remove and return the items that have expired."""
        expired = []
        for shape, group in list(self._groups.items()):
            if any(waiting.expires_at_s < now_s for waiting in group):
                expired += [waiting.item for waiting in group if waiting.expires_at_s < now_s]
                self._replace(shape, deque(waiting for waiting in group if waiting.expires_at_s >= now_s))
        return expired

    def pop(self, now_s: float, *, idle: bool) -> list[Item]:
        """Remove and return the next batch, empty if none is ready; `idle` means that the engine has no work."""
        ready = [
            (group[0].since_s, shape)
            for shape, group in self._groups.items()
            if idle or len(group) >= self._batch or group[0].since_s + self._max_wait_s <= now_s
        ]
        if not ready:
            return []
        _, shape = min(ready, key=lambda entry: entry[0])
        group = self._groups[shape]
        batch = [group.popleft().item for _ in range(min(self._batch, len(group)))]
        self._waiting -= len(batch)
        if not group:
            del self._groups[shape]
        return batch

    def due_s(self) -> float:
        """Return when the oldest item will have waited `max_wait_s` (monotonic); infinity if none waits."""
        return min((group[0].since_s for group in self._groups.values()), default=math.inf) + self._max_wait_s

    def _replace(self, shape: Hashable, group: deque[Waiting[Item]]) -> None:
        self._waiting += len(group) - len(self._groups[shape])
        if group:
            self._groups[shape] = group
        else:
            del self._groups[shape]
