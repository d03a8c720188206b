"""How recently each track was detected, which decides what may be matched with it and by which evidence."""

from __future__ import annotations

from typing import NamedTuple

from posebus.arrays import BoolArray, IndexArray
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
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
    before = tracks.unseen_since_ns >= last_ns
    recent = now_ns - tracks.unseen_since_ns <= settings.in_sight_s * 1e9
    if now_ns - tracks.last_seen_ns.max(initial=0) <= model.STAYING.after_s * 1e9:
        return Sight(before, recent, recent, None)
    return Sight(before, recent, pauses.placed(tracks, recent), pauses.at_rest(tracks, before))
