"""Which frames to read and which to infer together: pure policy, time and free room are arguments."""

from __future__ import annotations

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

        `free_slots` is asked before each read, for what earlier reads of the turn brought has taken room. No read can
        bring more than was free; the turn ends when every camera had its chance or nothing is free.
        """
        left = len(cameras)
        while left > 0 and (free := free_slots()) > 0:
            chosen = min(left, free)
            first = self._start % len(cameras)
            self._start = (first + chosen) % len(cameras)
            left -= chosen
            yield [*cameras[first:], *cameras[:first]][:chosen], min(self._max_per_camera, free // chosen)


@dataclass(frozen=True, slots=True)
class Batch(Generic[Item]):
    """Items to infer together; their pictures have the same shape in the network."""

    items: tuple[Item, ...]


class BatchFormer(Generic[Item]):
    """Groups items of one shape into batches of at most `batch`; none waits longer than `max_wait_s`.

    Items keep their order within a shape. With a batch of 1 every item is ready at once.
    """

    def __init__(self, batch: int, max_wait_s: float = MAX_WAIT_S) -> None:
        self._batch = batch
        self._max_wait_s = max_wait_s
        self._groups: dict[Hashable, list[tuple[float, int, Item]]] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        """Items that wait."""
        return sum(len(group) for group in self._groups.values())

    def add(self, item: Item, shape: Hashable, now_s: float) -> None:
        """Take an item in; items may share a batch if their `shape` is equal."""
        self._groups.setdefault(shape, []).append((now_s, self._arrivals, item))
        self._arrivals += 1

    def pop_ready(self, now_s: float) -> list[Batch[Item]]:
        """Full batches, and fewer items together once the oldest of them has waited long enough."""
        return self._pop(now_s - self._max_wait_s)

    def flush(self) -> list[Batch[Item]]:
        """Everything that waits, whatever its age."""
        return self._pop(float("inf"))

    def _pop(self, late_since_s: float) -> list[Batch[Item]]:
        """Batches of what came at `late_since_s` or before, and full ones; the first come first."""
        ready: dict[int, Batch[Item]] = {}
        waiting = {}
        for shape, group in self._groups.items():
            while group and (len(group) >= self._batch or group[0][0] <= late_since_s):
                taken, group = group[: self._batch], group[self._batch :]
                ready[taken[0][1]] = Batch(tuple(item for _, _, item in taken))
            if group:
                waiting[shape] = group
        self._groups = waiting
        return [ready[arrival] for arrival in sorted(ready)]
