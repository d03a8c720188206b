"""Which packets of a live stream are worth decoding: none that would give a damaged picture or an old one. Pure."""

from __future__ import annotations

MAX_LAG_S = 1.0
"""A stream that is decoded later than this after its arrival time skips to a key frame that is not."""
MAX_REORDER_S = 1.0
"""Times of neighbouring packets fall back by less than this; a camera's that fall further were set anew."""
CLOCK_DRIFT = 2e-4
"""Camera clocks run slow or fast by up to this (crystals: 50 ppm); slower decoding than that is lag, not drift."""


class LagMeter:
    """How far reading has fallen behind a stream, by the least delay between presentation time and reading so far."""

    def __init__(self) -> None:
        self._base_s: float | None = None
        self._last_now_s = 0.0
        self._last_presented_s = 0.0

    def lag_s(self, presented_s: float, now_s: float) -> float:
        """Seconds by which a packet presented at `presented_s` (stream time) is read late at `now_s` (monotonic)."""
        delay_s = now_s - presented_s
        if self._base_s is None or presented_s < self._last_presented_s - MAX_REORDER_S:
            self._base_s = delay_s
        else:
            self._base_s = min(delay_s, self._base_s + CLOCK_DRIFT * (now_s - self._last_now_s))
        self._last_now_s, self._last_presented_s = now_s, presented_s
        return delay_s - self._base_s


class KeyframeGate:
    """Shut at first, after damage and while behind; opens at the next key frame that is in time."""

    def __init__(self) -> None:
        self._open = False
        self._started = False

    @property
    def starting(self) -> bool:
        """Whether the first key frame has still to come: a camera may send them ten seconds apart."""
        return not self._started

    def passes(self, *, is_key: bool, lag_s: float) -> bool:
        """Whether the next packet is to be decoded."""
        if lag_s > MAX_LAG_S:
            self._open = False
        elif is_key:
            self._open = self._started = True
        return self._open

    def shut(self) -> None:
        """Something was lost: what follows refers to it until the next key frame."""
        self._open = False
