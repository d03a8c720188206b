"""Keeping what this worker holds: while it works on a frame, nobody takes it over, however long that lasts."""

from __future__ import annotations

import time
from contextlib import suppress

from posebus.bus.frame_consumer import FrameConsumer
from posebus.errors import RetryableError
from workers.intake.in_flight import InFlight

RENEW_SHARE = 0.25
"""Claims are renewed at this part of the time after which others may have them: most frames are through by then."""


class ClaimRenewal:
    """Renews the claims in a thread of its own, which goes on while the engine takes its time."""

    def __init__(self, reader: FrameConsumer, held: InFlight, reclaim_after_s: float) -> None:
        self._reader = reader
        self._held = held
        self._every_s = RENEW_SHARE * reclaim_after_s

    def step(self, now_s: float) -> None:
        """Renew what is due, and wait until more may be."""
        places = self._held.to_renew(now_s, self._every_s)
        if places:
            # The main loop finds out too and says so; a claim that lapses costs a second inference.
            with suppress(RetryableError):
                self._reader.renew(places)
        time.sleep(self._every_s / 2)
