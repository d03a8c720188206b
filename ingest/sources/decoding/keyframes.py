"""Decide which packets of a live stream are decoded: none that would give a damaged or an old picture. Pure."""

from __future__ import annotations

MAX_LAG_S = 1.0
"""A stream that is decoded later than this skips ahead to a key frame that is in time."""
MAX_REORDER_S = 1.0
"""Times of neighbouring packets fall back by less than this; after a larger fall, the camera's clock was set."""
CLOCK_DRIFT = 2e-4
"""Camera clocks run slow or fast by up to this (crystals: 50 ppm); slower decoding than that is lag, not drift."""


class LagMeter:
    """Measures how far reading has fallen behind a stream, relative to the least delay seen so far."""

    def __init__(self) -> None:
        self._base_s: float | None = None
        self._last_now_s = 0.0
        self._last_presented_s = 0.0

    def lag_s(self, presented_s: float, now_s: float) -> float:
        """Return how late, in seconds, a packet of stream time `presented_s` is read at `now_s` (monotonic)."""
        delay_s = now_s - presented_s
        if self._base_s is None or presented_s < self._last_presented_s - MAX_REORDER_S:
            self._base_s = delay_s
        else:
            self._base_s = min(delay_s, self._base_s + CLOCK_DRIFT * (now_s - self._last_now_s))
        self._last_now_s, self._last_presented_s = now_s, presented_s
        return delay_s - self._base_s


class KeyframeFilter:
    """Passes packets from a key frame on that is in time; blocks at first, after damage and while reading lags."""

    def __init__(self) -> None:
        self._open = False
        self._started = False

    @property
    def starting(self) -> bool:
        """Whether the first key frame has not come yet: cameras may send them ten seconds apart."""
        return not self._started

    def passes(self, *, is_key: bool, lag_s: float) -> bool:
        """Whether the next packet is to be decoded."""
        if lag_s > MAX_LAG_S:
            self._open = False
        elif is_key:
            self._open = self._started = True
        return self._open

    def block(self) -> None:
        """Block until the next key frame: a packet was lost, and the following ones refer to it."""
        self._open = False
