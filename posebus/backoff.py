"""Pauses between attempts. Pure: this module draws pauses and does not sleep."""

from __future__ import annotations

import random


class Backoff:
    """Pauses between attempts: they double from `min_s` to `max_s`, and each is drawn from its upper half.

    The random part keeps processes that lost the same camera or broker at once from returning to it in step ("equal
    jitter", Brooker, Exponential Backoff And Jitter, AWS Architecture Blog 2015).
    """

    def __init__(self, min_s: float, max_s: float, rng: random.Random) -> None:
        self._min_s = min_s
        self._max_s = max(min_s, max_s)
        self._rng = rng
        self._attempts = 0

    def next_s(self) -> float:
        """The pause before the next attempt, in seconds."""
        ceiling_s = min(self._max_s, self._min_s * 2.0 ** min(self._attempts, 60))
        self._attempts += 1
        return ceiling_s * self._rng.uniform(0.5, 1.0)

    def longest_s(self) -> float:
        """A pause of the longest kind, in seconds, for failures that will not pass soon."""
        return self._max_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Return to the shortest pause, after an attempt that succeeded."""
        self._attempts = 0
