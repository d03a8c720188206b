"""Which pictures a decoder may leave out, since the rate cap would drop them anyway. Pure: times are stream times."""

from __future__ import annotations

import itertools
import math
from collections import deque
from typing import Literal

Level = Literal["DEFAULT", "NONREF", "NONKEY"]
"""Of FFmpeg's skip_frame: decode all, all that others are predicted from, or key frames alone."""

WATCHED_PICTURES = 25
"""Decoded in full before anything is left out: by then the stream's own rate is clear."""
WATCHED_KEY_FRAMES = 4
TOLERANCE = 1.05
"""Time stamps are rounded, to milliseconds and worse. Where all gaps are 5 % longer than a turn, 5 % fewer pictures are
delivered than the cap admits."""


class FrameSkipping:
    """Decides before each packet what is left out, from how far apart the pictures lie that remain.

    While they are no further apart than the turns of the cap, each turn finds one, and as many are delivered as with
    full decoding, but for TOLERANCE. The first gap that is longer ends it for good: the pictures that nobody refers to
    are unevenly spread, or too many.
    """

    def __init__(self, max_fps: float | None, longest_gap_s: float = math.inf) -> None:
        """`longest_gap_s`: what the source allows between two pictures, whatever the cap."""
        self._turn_s = 0.0 if max_fps is None else TOLERANCE * min(1 / max_fps, longest_gap_s)
        self._level: Level = "DEFAULT"
        self._allowed: set[Level] = {"DEFAULT", "NONREF", "NONKEY"} if max_fps is not None else {"DEFAULT"}
        self._shown_s: deque[float] = deque(maxlen=WATCHED_PICTURES)
        self._keys_s: deque[float] = deque(maxlen=WATCHED_KEY_FRAMES)
        self.skips = False

    def restart(self) -> None:
        """The stream begins again; what was found out about it holds."""
        self._shown_s.clear()
        self._keys_s.clear()
        self._level = "DEFAULT"

    def before(self, presented_s: float | None, *, is_key: bool) -> Level:
        """What to leave out from this packet on. `presented_s`: its presentation time, None where unknown."""
        if len(self._allowed) == 1:
            return "DEFAULT"
        if presented_s is None:
            self._give_up("NONREF", "NONKEY")
        elif is_key:
            self._keys_s.append(presented_s)
        wanted = self._wanted()
        # What lies between two key frames cannot be decoded if its beginning was left out.
        if self._level != "NONKEY" or is_key or wanted == "NONKEY":
            self._level = wanted
        self.skips = self.skips or self._level != "DEFAULT"
        return self._level

    def after(self, presented_s: float | None) -> None:
        """A picture came out of the decoder, in the order of presentation."""
        if presented_s is None or len(self._allowed) == 1:
            return
        if self._level != "DEFAULT" and self._shown_s and presented_s - self._shown_s[-1] > self._turn_s:
            self._give_up(self._level)
        self._shown_s.append(presented_s)

    def _wanted(self) -> Level:
        if "NONKEY" in self._allowed and len(self._keys_s) == WATCHED_KEY_FRAMES and self._fits(self._keys_s):
            return "NONKEY"
        if "NONREF" not in self._allowed:
            return "DEFAULT"
        if self._level != "DEFAULT":
            return "NONREF"
        watched = len(self._shown_s) == WATCHED_PICTURES
        # Twice the widest step, for every second picture will be missing.
        return "NONREF" if watched and 2 * widest_s(self._shown_s) <= self._turn_s else "DEFAULT"

    def _fits(self, times_s: deque[float]) -> bool:
        return widest_s(times_s) <= self._turn_s

    def _give_up(self, *levels: Level) -> None:
        self._allowed -= set(levels)


def widest_s(times_s: deque[float]) -> float:
    """The longest step between neighbours, in whichever order they came."""
    ordered = sorted(times_s)
    return max(later - earlier for earlier, later in itertools.pairwise(ordered))
