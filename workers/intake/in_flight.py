"""Which entries this worker has taken and not yet committed: they are not to be reclaimed by itself."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable

from posebus.bus.frame_consumer import FrameEntry
from posebus.bus.reclaim import EntryKey

REFUSED_KEPT = 1000


class InFlight:
    """A set of entries that the reading thread fills and the committing one empties."""

    def __init__(self) -> None:
        self._renewed_at_s: dict[EntryKey, float] = {}
        self._refused: OrderedDict[EntryKey, None] = OrderedDict()
        self._changed = threading.Condition()  # guards both

    def __len__(self) -> int:
        return len(self._renewed_at_s)

    def __contains__(self, place: EntryKey) -> bool:
        return place in self._renewed_at_s

    def add(self, entry: FrameEntry) -> None:
        """Taken."""
        with self._changed:
            self._renewed_at_s[entry.key] = time.monotonic()
            self._refused.pop(entry.key, None)

    def release(self, entries: Iterable[FrameEntry]) -> None:
        """Committed, or given up: whoever finds them pending may have them."""
        with self._changed:
            for entry in entries:
                self._renewed_at_s.pop(entry.key, None)
            self._changed.notify_all()

    def refuse(self, entry: FrameEntry) -> None:
        """Given up, and rather left to another worker. The oldest of very many are forgotten."""
        with self._changed:
            self._refused[entry.key] = None
            while len(self._refused) > REFUSED_KEPT:
                self._refused.popitem(last=False)
        self.release([entry])

    def refused(self, place: EntryKey) -> bool:
        """Whether this worker gave it up."""
        return place in self._refused

    def wait_for_at_most(self, entries: int, timeout_s: float) -> bool:
        """Wait until no more than `entries` are held; False if it was not within `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._renewed_at_s) <= entries, timeout_s)

    def to_renew(self, now_s: float, after_s: float) -> list[EntryKey]:
        """Entries whose claim is `after_s` old; counted as renewed at `now_s` (monotonic)."""
        with self._changed:
            due = [place for place, renewed_at_s in self._renewed_at_s.items() if now_s - renewed_at_s >= after_s]
            self._renewed_at_s.update(dict.fromkeys(due, now_s))
        return due
