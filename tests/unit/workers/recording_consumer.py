"""A frame consumer without a broker, which records what is asked of it, and entries for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from posebus.bus.frame_consumer import FrameEntry, PoseResult
from posebus.bus.reclaim import Attempt, EntryKey
from posebus.errors import BrokerUnavailable
from tests.samples import frame


class RecordingConsumer:
    """Stands in for `FrameConsumer`. While `failures` is above 0, each writing call lowers it and raises."""

    def __init__(self) -> None:
        self.failures = 0
        self.noted: list[tuple[EntryKey, tuple[Attempt, ...]]] = []
        self.committed: list[list[PoseResult]] = []
        self.renewed: list[list[EntryKey]] = []
        self.synchronised: list[list[str]] = []
        self.left: list[str] = []

    def note(self, entry: FrameEntry, attempts: Sequence[Attempt]) -> FrameEntry:
        self._fail()
        self.noted.append((entry.key, tuple(attempts)))
        return replace(entry, attempts=tuple(attempts))

    def attempt(self, outcome: str) -> Attempt:
        return Attempt("w1", 0, outcome)

    def commit(self, results: Sequence[PoseResult]) -> None:
        self._fail()
        self.committed.append(list(results))

    def renew(self, keys: Iterable[EntryKey]) -> None:
        self._fail()
        self.renewed.append(list(keys))

    def synchronise(self, cameras: Iterable[str]) -> None:
        self.synchronised.append(list(cameras))

    def leave(self, cameras: Iterable[str]) -> None:
        self.left += cameras

    def _fail(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise BrokerUnavailable("no broker")


def entry(seq: int, deliveries: int = 1, attempts: tuple[Attempt, ...] = (), **changes: Any) -> FrameEntry:
    """An entry of camera `door` with frame `seq`; `changes` are fields of the frame."""
    body = frame(seq, **changes)
    return FrameEntry("door", b"%d-0" % seq, body, {}, deliveries=deliveries, attempts=attempts)
