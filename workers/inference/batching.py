"""Which frames to read and which to infer together: pure policy, time and free room are arguments."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_PER_CAMERA = 4
"""Frames of one camera in one read at most: what a worker holds, no other worker can take."""

MAX_WAIT_S = 0.01


class ReadPlan:
    """A round robin over cameras that gives each the same share of the free slots.

    The turn goes on where the last one ended, so a busy camera waits for the quiet ones and not the other way round.
    """

    def __init__(self, max_per_camera: int = MAX_PER_CAMERA) -> None:
        self._max_per_camera = max_per_camera
        self._start = 0

    def rounds(self, cameras: Sequence[str], free_slots: Callable[[], int]) -> Iterator[tuple[list[str], int]]:
        """One turn over `cameras`, as reads: (which cameras, frames of each at most).

        `free_slots` is asked before each read, for what earlier reads of the turn brought has taken room. The turn ends
        when every camera had its chance or nothing is free. The first read brings no more than was free. While reads
        bring nothing, the next one asks twice as many cameras: among a thousand quiet ones, asking four at a time would
        be most of the broker's work. Should many frames come just then, they are more than was free, once.
        """
        left, width, before = len(cameras), 0, -1
        while left > 0 and (free := free_slots()) > 0:
            width = 2 * width if free == before else free
            before = free
            chosen = min(left, max(width, free))
            first = self._start % len(cameras)
            self._start = (first + chosen) % len(cameras)
            left -= chosen
            yield [*cameras[first:], *cameras[:first]][:chosen], min(self._max_per_camera, max(1, free // chosen))


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Item]):
    """An item that waits for its batch. Times are monotonic seconds; items of equal `shape` may share a batch."""

    item: Item
    shape: Hashable
    since_s: float
    expires_at_s: float = math.inf


class BatchFormer(Generic[Item]):
    """Forms batches by size, deadline and age.

    A batch goes as soon as it is full; or once its oldest item has waited `max_wait_s`; or at once if the engine has
    nothing to do, for then waiting gains nothing. Whatever has grown too old meanwhile is handed back, not inferred.
    The oldest go first, whatever their shape; within a shape items keep their order.
    """

    def __init__(self, batch: int, max_wait_s: float = MAX_WAIT_S) -> None:
        self._batch = batch
        self._max_wait_s = max_wait_s
        self._groups: dict[Hashable, deque[Waiting[Item]]] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """Items that wait."""
        return self._waiting

    def add(self, waiting: Waiting[Item]) -> None:
        """Take an item in; call it in the order of `since_s`."""
        self._groups.setdefault(waiting.shape, deque()).append(waiting)
        self._waiting += 1

    def pop_expired(self, now_s: float) -> list[Item]:
        """Items that have grown too old, which leave."""
        expired = []
        for shape, group in list(self._groups.items()):
            if any(waiting.expires_at_s < now_s for waiting in group):
                expired += [waiting.item for waiting in group if waiting.expires_at_s < now_s]
                self._keep(shape, deque(waiting for waiting in group if waiting.expires_at_s >= now_s))
        return expired

    def pop(self, now_s: float, *, idle: bool) -> list[Item]:
        """The next batch, empty if none is to go now; `idle` says that the engine has nothing to do."""
        ready = [
            (group[0].since_s, shape)
            for shape, group in self._groups.items()
            if idle or len(group) >= self._batch or group[0].since_s + self._max_wait_s <= now_s
        ]
        if not ready:
            return []
        _, shape = min(ready, key=lambda entry: entry[0])
        group = self._groups[shape]
        taken = [group.popleft().item for _ in range(min(self._batch, len(group)))]
        self._waiting -= len(taken)
        if not group:
            del self._groups[shape]
        return taken

    def due_s(self) -> float:
        """When the next item will have waited long enough (monotonic); infinity if none waits."""
        return min((group[0].since_s for group in self._groups.values()), default=math.inf) + self._max_wait_s

    def _keep(self, shape: Hashable, group: deque[Waiting[Item]]) -> None:
        self._waiting += len(group) - len(self._groups[shape])
        if group:
            self._groups[shape] = group
        else:
            del self._groups[shape]
