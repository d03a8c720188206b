"""Waiting out an outage: how long to pause, and what is said of it. Time comes in as an argument."""

from __future__ import annotations

import logging
import random

from posebus.backoff import Backoff

RETRY_MIN_S = 0.1
RETRY_MAX_S = 1.0
"""A broker that is back is found within this time; a thousand processes knock a thousand times a second meanwhile."""
SETTLED_S = 2.0
"""Working for this long ends an outage. Until then what fails again belongs to it: a loop of which some steps need the
broker and others do not would otherwise report the end of an outage, and the next one, many times a second."""
REMIND_S = 60.0

log = logging.getLogger("posebus")


class Outage:
    """Whether something that a loop needs is away: one line when it goes, one a minute, one when it is back."""

    def __init__(self, backoff: Backoff | None = None) -> None:
        self._backoff = backoff or Backoff(RETRY_MIN_S, RETRY_MAX_S, random.Random())
        self._began_at_s: float | None = None
        self._told_at_s = 0.0
        self._back_at_s: float | None = None

    def failed(self, error: Exception, now_s: float) -> float:
        """`error` came at `now_s` (monotonic); returns how long to wait before the next attempt, in seconds."""
        if self._began_at_s is None:
            self._began_at_s = self._told_at_s = now_s
            log.warning("%s; trying again", error)
        elif now_s - self._told_at_s >= REMIND_S:
            self._told_at_s = now_s
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
