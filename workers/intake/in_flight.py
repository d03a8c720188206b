"""The entries that this worker has taken and not yet committed, and the renewal of its claims on them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry
from posebus.bus.reclaim import EntryKey
from posebus.errors import RetryableError

MAX_REFUSED = 1000
RENEWAL_SHARE = 0.25
"""Claims are renewed after this share of the time after which other workers may reclaim. Most frames are finished by
then, and need no renewal."""


class InFlight:
    """The set of entries in flight, which this worker must not reclaim from itself. Safe for use by several threads."""

    def __init__(self) -> None:
        self._renewed_at_s: dict[EntryKey, float] = {}
        self._refused: OrderedDict[EntryKey, None] = OrderedDict()
        self._changed = threading.Condition()  # guards both

    def __len__(self) -> int:
        return len(self._renewed_at_s)

    def __contains__(self, key: EntryKey) -> bool:
        return key in self._renewed_at_s

    def add(self, entry: FrameEntry) -> None:
        """Mark an entry as in flight."""
        with self._changed:
            self._renewed_at_s[entry.key] = time.monotonic()
            self._refused.pop(entry.key, None)

    def release(self, entries: Iterable[FrameEntry]) -> None:
        """Mark entries as committed or given up. Any worker may reclaim those that are still pending."""
        with self._changed:
            for entry in entries:
                self._renewed_at_s.pop(entry.key, None)
            self._changed.notify_all()

    def refuse(self, entry: FrameEntry) -> None:
        """Release an entry and remember that other workers should try it first.

        The MAX_REFUSED entries that were refused last are remembered.
        """
        with self._changed:
            self._refused[entry.key] = None
            while len(self._refused) > MAX_REFUSED:
                self._refused.popitem(last=False)
        self.release([entry])

    def is_refused(self, key: EntryKey) -> bool:
        """Whether this worker refused the entry."""
        return key in self._refused

    def wait_for_at_most(self, entries: int, timeout_s: float) -> bool:
        """Wait until no more than `entries` are in flight; False if that took longer than `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._renewed_at_s) <= entries, timeout_s)

    def take_due(self, now_s: float, after_s: float) -> list[EntryKey]:
        """Return the entries whose claim is `after_s` old, and count them as renewed at `now_s` (monotonic)."""
        with self._changed:
            due = [key for key, renewed_at_s in self._renewed_at_s.items() if now_s - renewed_at_s >= after_s]
            self._renewed_at_s.update(dict.fromkeys(due, now_s))
        return due


class ClaimRenewal:
    """Renews this worker's claims, so that no other worker reclaims a frame while it is being worked on.

    `step` is repeated by a thread of its own, which runs while the engine takes its time.
    """

    def __init__(self, consumer: FrameConsumer, in_flight: InFlight, reclaim_after_s: float) -> None:
        self._consumer = consumer
        self._in_flight = in_flight
        self._every_s = RENEWAL_SHARE * reclaim_after_s

    def step(self, now_s: float) -> None:
        """Renew the claims that are due, then sleep until more may be."""
        due = self._in_flight.take_due(now_s, self._every_s)
        if due:
            # The main loop notices an unreachable broker too and reports it; a lapsed claim costs a second inference.
            with suppress(RetryableError):
                self._consumer.renew(due)
        time.sleep(self._every_s / 2)
