"""How long to wait between attempts. Pure: it computes pauses and does not sleep."""

from __future__ import annotations

import random


class Backoff:
    """Pauses between attempts: they double from `min_s` to `max_s`, and each is drawn from its upper half.

    The jitter keeps processes that lost the same camera or broker together from returning to it in step ("equal
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
        """A pause before an attempt that is unlikely to succeed soon, in seconds."""
        return self._max_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """An attempt succeeded: the next pause is the shortest again."""
        self._attempts = 0
