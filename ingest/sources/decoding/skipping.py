"""Decide which pictures a decoder may skip, because the rate cap would drop them anyway. Pure; in stream times."""

from __future__ import annotations

import itertools
import math
from collections import deque
from typing import Literal

Level = Literal["DEFAULT", "NONREF", "NONKEY"]
"""Values of FFmpeg's skip_frame: decode every frame, only reference frames, or only key frames."""

WATCHED_PICTURES = 25
"""So many pictures are decoded before any is skipped: by then the rate of the stream is known."""
WATCHED_KEY_FRAMES = 4
TOLERANCE = 1.05
"""Time stamps are rounded to milliseconds or worse. If all gaps are 5 % longer than an interval of the cap, 5 % fewer
pictures are delivered than the cap admits."""


class FrameSkipping:
    """Decides before each packet what to skip, from the distances between the pictures that remain.

    While these are no longer than the interval of the rate cap, each interval holds a picture, and as many are
    delivered as with full decoding (within TOLERANCE). The first longer gap ends skipping at that level for the rest of
    the stream: non-reference pictures are then unevenly spread, or too many.
    """

    def __init__(self, max_fps: float | None, longest_gap_s: float = math.inf) -> None:
        """`longest_gap_s` is the longest gap between two pictures that the source allows, independent of the cap."""
        self._turn_s = 0.0 if max_fps is None else TOLERANCE * min(1 / max_fps, longest_gap_s)
        self._level: Level = "DEFAULT"
        self._allowed: set[Level] = {"DEFAULT", "NONREF", "NONKEY"} if max_fps is not None else {"DEFAULT"}
        self._shown_s: deque[float] = deque(maxlen=WATCHED_PICTURES)
        self._keys_s: deque[float] = deque(maxlen=WATCHED_KEY_FRAMES)
        self.skips = False

    def restart(self) -> None:
        """Start the stream again from its beginning; which levels are allowed is kept."""
        self._shown_s.clear()
        self._keys_s.clear()
        self._level = "DEFAULT"

    def before(self, presented_s: float | None, *, is_key: bool) -> Level:
        """Return the level from this packet on. `presented_s` is its presentation time, None if unknown."""
        if len(self._allowed) == 1:
            return "DEFAULT"
        if presented_s is None:
            self._give_up("NONREF", "NONKEY")
        elif is_key:
            self._keys_s.append(presented_s)
        wanted = self._wanted()
        # Frames between two key frames cannot be decoded if the first of them were skipped.
        if self._level != "NONKEY" or is_key or wanted == "NONKEY":
            self._level = wanted
        self.skips = self.skips or self._level != "DEFAULT"
        return self._level

    def after(self, presented_s: float | None) -> None:
        """Note a picture that left the decoder; calls come in presentation order."""
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
        # Twice the widest gap, because every second picture will be missing.
        return "NONREF" if watched and 2 * widest_s(self._shown_s) <= self._turn_s else "DEFAULT"

    def _fits(self, times_s: deque[float]) -> bool:
        return widest_s(times_s) <= self._turn_s

    def _give_up(self, *levels: Level) -> None:
        self._allowed -= set(levels)


def widest_s(times_s: deque[float]) -> float:
    """Return the longest gap between neighbouring times; the times may come in any order."""
    ordered = sorted(times_s)
    return max(later - earlier for earlier, later in itertools.pairwise(ordered))
