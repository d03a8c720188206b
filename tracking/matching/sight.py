"""How recently each track was detected, which decides what may be matched with it and by which evidence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posebus.arrays import BoolArray, IndexArray, Int64Array
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.compiled import compiled
from tracking.matching import pauses
from tracking.tracks import Tracks


class Sight(NamedTuple):
    """Masks (T,) of tracks in one frame.

    before: detected in the last inferred frame, however long ago that was.
    recent: seen a moment ago; these may be matched with weak detections, too.
    placed: those whose joints may replace the box as evidence.
    resting: those that may have stayed at their place through a long interval; None where there was none.
    """

    before: BoolArray
    recent: BoolArray
    placed: BoolArray
    resting: BoolArray | None

    def select(self, rows: IndexArray) -> Sight:
        """The same of the tracks at the indices."""
        resting = None if self.resting is None else self.resting[rows]
        return Sight(self.before[rows], self.recent[rows], self.placed[rows], resting)


def sight_of(tracks: Tracks, last_ns: int, now_ns: int, settings: TrackerSettings) -> Sight:
    """The masks for tracks that are predicted from the frame captured at `last_ns` to the one at `now_ns`."""
    before, recent, last_seen_ns = _sight(
        tracks.unseen_since_ns, tracks.last_seen_ns, last_ns, now_ns, settings.in_sight_s * 1e9
    )
    if now_ns - last_seen_ns <= model.STAYING.after_s * 1e9:
        return Sight(before, recent, recent, None)
    return Sight(before, recent, pauses.placed(tracks, recent), pauses.at_rest(tracks, before))


@compiled
def _sight(
    unseen_since_ns: Int64Array, last_seen_ns: Int64Array, last_ns: int, now_ns: int, in_sight_ns: float
) -> tuple[BoolArray, BoolArray, int]:
    """The masks `before` and `recent` (T,), and when the last track was detected, 0 where there are none."""
    before, recent = np.empty(len(unseen_since_ns), np.bool_), np.empty(len(unseen_since_ns), np.bool_)
    latest_ns = 0
    for track in range(len(unseen_since_ns)):
        before[track] = unseen_since_ns[track] >= last_ns
        recent[track] = now_ns - unseen_since_ns[track] <= in_sight_ns
        latest_ns = max(latest_ns, last_seen_ns[track])
    return before, recent, latest_ns
