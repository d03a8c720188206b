"""Restores the order of frames after parallel workers. Pure: items and the time come in, items in order come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from posebus.messages import EndOfStream, PoseFrame, Skipped, Uninferred

NEW_COUNT = 100_000
"""An epoch so much higher than the last one is the first of another process, which counts on from the time in µs."""

StreamItem = PoseFrame | Uninferred | Skipped | EndOfStream


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames `first_seq` to `last_seq` (both included) of an epoch that are given up."""

    epoch: int
    first_seq: int
    last_seq: int
    reason: str


@dataclass(slots=True)
class _Epoch:
    """The waiting items of one epoch, each with the time it arrived."""

    items: dict[int, tuple[StreamItem, float]] = field(default_factory=dict)
    end: tuple[EndOfStream, float] | None = None

    def arrivals_s(self) -> list[float]:
        times = [arrived_s for _, arrived_s in self.items.values()]
        return times if self.end is None else [*times, self.end[1]]

    def begins_at(self) -> int:
        return min(self.items, default=self.end[0].seq if self.end else 0)


class ReorderBuffer:
    """Puts the items of one camera into the order of (epoch, seq); each comes out exactly once.

    max_wait_s: for live sources; an accepted item comes out at most this long after it came in, and items before it
    that are still missing then are given up as a `Gap`. None for lossless sources, whose missing items are waited for
    without limit.

    A new buffer begins with seq 0 of the first epoch that comes. An epoch is over when its `EndOfStream` came out; then
    the epoch with the next number begins, or the first one of a new count. Where this order does not hold, even a
    lossless source is waited for no longer than `orphan_wait_s`, since no process may be left to send the missing part:
    a source that died without its EndOfStream and started again (only once no item of the old epoch waits and no more
    of it came), an epoch without a frame, and a buffer without state in the middle of a stream, which begins with its
    lowest seq, after a Gap.

    The state is the position alone. Waiting items are not part of it: they were not acknowledged and are delivered
    again.
    """

    def __init__(self, max_wait_s: float | None, orphan_wait_s: float = 60.0) -> None:
        self._max_wait_s = max_wait_s
        self._patience_s = orphan_wait_s if max_wait_s is None else max_wait_s
        self._epoch = -1
        self._next_seq = 0
        self._over = True
        self._without_start = True
        self._touched_s = float("-inf")
        self._waiting: dict[int, _Epoch] = {}
        self.duplicates = 0
        self.late = 0

    def __len__(self) -> int:
        return sum(len(epoch.items) + (epoch.end is not None) for epoch in self._waiting.values())

    def push(self, item: StreamItem, now_s: float) -> bool:
        """Accept an item that arrived now.

        Returns False for an item that never comes out and should just be acknowledged: the same one is waiting already
        (counted in `duplicates`), or its position was passed (counted in `late`).
        """
        behind = item.epoch < self._epoch or (item.epoch == self._epoch and (self._over or item.seq < self._next_seq))
        if behind:
            self.late += 1
            return False
        epoch = self._waiting.setdefault(item.epoch, _Epoch())
        if item.seq in epoch.items if not isinstance(item, EndOfStream) else epoch.end is not None:
            self.duplicates += 1
            return False
        if isinstance(item, EndOfStream):
            epoch.end = (item, now_s)
        else:
            epoch.items[item.seq] = (item, now_s)
        if item.epoch == self._epoch:
            self._touched_s = now_s
        return True

    def pop_ready(self, now_s: float) -> list[StreamItem | Gap]:
        """All items and gaps that are due by now, in order."""
        ready: list[StreamItem | Gap] = []
        while self._begin(ready, now_s) if self._over else self._continue(ready, now_s):
            pass
        return ready

    def state_dict(self) -> dict[str, Any]:
        """The position, as JSON scalars."""
        return {"epoch": self._epoch, "next_seq": self._next_seq, "over": self._over}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore a position and drop waiting items. Raises KeyError, TypeError or ValueError for an invalid state."""
        epoch, next_seq, over = int(state["epoch"]), int(state["next_seq"]), bool(state["over"])
        self._epoch, self._next_seq, self._over, self._without_start = epoch, next_seq, over, False
        self._touched_s = float("-inf")
        self._waiting.clear()

    def _begin(self, ready: list[StreamItem | Gap], now_s: float) -> bool:
        """Between two epochs, open the lowest one that waits: at once if it is the next one and its start is there."""
        if not self._waiting:
            return False
        number = min(self._waiting)
        epoch = self._waiting[number]
        first_seq = epoch.begins_at()
        follows = self._epoch < 0 or number == self._epoch + 1 or number - self._epoch > NEW_COUNT
        without_start = self._epoch < 0 and first_seq > 0
        due = (first_seq == 0 and follows) or (without_start and self._is_remnant(number))
        if not due and now_s < min(self._arrivals_s(number)) + self._patience_s:
            return False
        if first_seq > 0:
            ready.append(Gap(number, 0, first_seq - 1, "joined late"))
        self._epoch, self._next_seq, self._over = number, first_seq, False
        self._without_start = without_start
        self._touched_s = now_s
        return True

    def _continue(self, ready: list[StreamItem | Gap], now_s: float) -> bool:
        """Inside an epoch: emit the items without a gap before them, give up expired ones; True once it is over."""
        epoch = self._waiting.get(self._epoch)
        if epoch is None:
            deadline_s = self._orphan_deadline_s()
            self._over = deadline_s is not None and now_s >= deadline_s
            return self._over
        self._emit(epoch, ready)
        expired = self._expired_before(epoch, now_s)
        while epoch.items and min(epoch.items) < expired:
            self._give_up(min(epoch.items), ready)
            self._emit(epoch, ready)
        if epoch.end is not None and not epoch.items:
            if self._next_seq < epoch.end[0].seq < expired:
                self._give_up(epoch.end[0].seq, ready)
            if self._next_seq >= epoch.end[0].seq:
                ready.append(epoch.end[0])
                epoch.end = None
                self._over = True
        if not epoch.items and epoch.end is None:
            del self._waiting[self._epoch]
            return True
        return False

    def _emit(self, epoch: _Epoch, ready: list[StreamItem | Gap]) -> None:
        while self._next_seq in epoch.items:
            ready.append(epoch.items.pop(self._next_seq)[0])
            self._next_seq += 1

    def _give_up(self, before_seq: int, ready: list[StreamItem | Gap]) -> None:
        ready.append(Gap(self._epoch, self._next_seq, before_seq - 1, "not received in time"))
        self._next_seq = before_seq

    def _expired_before(self, epoch: _Epoch, now_s: float) -> float:
        """Items and ends with a seq below this must not wait any longer, as one at or after them has expired."""
        if self._without_start and self._is_remnant(self._epoch):
            return float("inf")
        if self._max_wait_s is None:
            return float("-inf")
        newer = self._arrivals_s(self._epoch + 1)
        if newer and min(newer) + self._max_wait_s <= now_s:
            return float("inf")
        expired = [seq for seq, (_, at) in epoch.items.items() if at + self._max_wait_s <= now_s]
        if epoch.end is not None and epoch.end[1] + self._max_wait_s <= now_s:
            return float("inf")
        return max(expired, default=-2) + 1

    def _is_remnant(self, number: int) -> bool:
        """Whether an epoch whose start never came is all that is left of it: a new count has begun, from seq 0.

        A worker has sent it, after the broker had lost its memory and with it the other frames.
        """
        return any(other - number > NEW_COUNT and epoch.begins_at() == 0 for other, epoch in self._waiting.items())

    def _arrivals_s(self, from_epoch: int = 0) -> list[float]:
        """Arrival times of the waiting items of that epoch and later ones."""
        return [at for number, epoch in self._waiting.items() if number >= from_epoch for at in epoch.arrivals_s()]

    def _orphan_deadline_s(self) -> float | None:
        """When an open epoch without waiting items is given up because a newer one has some."""
        newer = self._arrivals_s(self._epoch + 1)
        if not newer:
            return None
        if self._without_start and self._is_remnant(self._epoch):
            return float("-inf")
        since_s = min(newer) if self._max_wait_s is not None else max(min(newer), self._touched_s)
        return since_s + self._patience_s


class ItemKey(NamedTuple):
    """Identifies a waiting item; end marks have keys of their own, so that a wrong one cannot pass for a frame."""

    epoch: int
    seq: int
    is_end: bool

    @classmethod
    def of(cls, item: StreamItem) -> ItemKey:
        return cls(item.epoch, item.seq, isinstance(item, EndOfStream))
