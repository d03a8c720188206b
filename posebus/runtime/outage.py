"""Waiting during an outage: the pauses between attempts, and the log lines. Time is an argument."""

from __future__ import annotations

import logging
import random

from posebus.backoff import Backoff

RETRY_MIN_S = 0.1
RETRY_MAX_S = 1.0
"""The longest pause: a broker that is back is found within it. A thousand processes ask a thousand times a second."""
SETTLED_S = 2.0
"""An outage ends when no attempt has failed for this long. Otherwise a loop in which only some steps need the broker
would report the end of an outage, and the next outage, many times a second."""
REMIND_S = 60.0

log = logging.getLogger("posebus")


class Outage:
    """An outage of something that a loop needs: one log line when it starts, one a minute, one when it ends."""

    def __init__(self, backoff: Backoff | None = None) -> None:
        self._backoff = backoff or Backoff(RETRY_MIN_S, RETRY_MAX_S, random.Random())
        self._began_at_s: float | None = None
        self._logged_at_s = 0.0
        self._back_at_s: float | None = None

    def failed(self, error: Exception, now_s: float) -> float:
        """`error` came at `now_s` (monotonic); returns how long to wait before the next attempt, in seconds."""
        if self._began_at_s is None:
            self._began_at_s = self._logged_at_s = now_s
            text = str(error)
            log.warning("%s", f"{text} Trying again." if text.endswith("?") else f"{text}; trying again")
        elif now_s - self._logged_at_s >= REMIND_S:
            self._logged_at_s = now_s
            log.warning("%s; still trying, for %.0f s now", error, now_s - self._began_at_s)
        self._back_at_s = None
        return self._backoff.next_s()

    def worked(self, now_s: float) -> None:
        """An attempt succeeded at `now_s` (monotonic)."""
        if self._began_at_s is None:
            return
        if self._back_at_s is None:
            self._back_at_s = now_s
        if now_s - self._back_at_s >= SETTLED_S:
            log.warning("it works again, after %.1f s", self._back_at_s - self._began_at_s)
            self._began_at_s = self._back_at_s = None
            self._backoff.reset()
