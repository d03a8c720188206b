"""Which unmatched detections start a new track, and how that track begins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from posebus.config.settings import TrackerSettings
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from tracking import body_model as model
from tracking.body_model import body_sizes_px
from tracking.compiled import compiled
from tracking.detections import UsableDetections
from tracking.matching.one_body import BY_BOX, FIRST, SECOND, SURENESS, Pairs
from tracking.motion import kalman
from tracking.motion.borders import is_sliver
from tracking.tracks import CONFIRMED, TENTATIVE, Tracks


class NewPeople(NamedTuple):
    """Detections (B,) of new people, and the mask (B,) of those whose boxes lie in that of another person."""

    rows: IndexArray
    overlapped: BoolArray

    def without(self, matches: IndexArray) -> NewPeople:
        """Those that no track has: `matches` (T,) is the detection of each track, -1 for none."""
        if not len(self.rows):
            return self
        free = ~np.isin(self.rows, matches)
        return NewPeople(self.rows[free], self.overlapped[free])


def new_people(matches: IndexArray, detections: UsableDetections, pairs: Pairs, settings: TrackerSettings) -> NewPeople:
    """Detections of new people: unmatched, of a high score, and the only or preferred ones of their bodies.

    Args:
        matches: (T,) the detection of each track, -1 for none.
        detections: all of the frame.
        pairs: as from `pairs_of_one_body`. A person who is taken for another one's double begins later.
        settings: those of the tracker.
    """
    return NewPeople(*_new_people(matches, detections.scores, pairs.doubles, pairs.overlapping, settings.birth_score))


@compiled
def _new_people(
    matches: IndexArray, scores: Float64Array, doubles: Int64Array, overlapping: Int64Array, birth_score: float
) -> tuple[IndexArray, BoolArray]:
    taken = np.zeros(len(scores), np.bool_)
    for track in range(len(matches)):
        if matches[track] >= 0:
            taken[matches[track]] = True
    free = ~taken & (scores >= birth_score)
    kept, overlapped = free.copy(), np.zeros(len(scores), np.bool_)
    for pair in range(len(doubles)):
        first, second = doubles[pair, FIRST], doubles[pair, SECOND]
        surely = doubles[pair, SURENESS] > BY_BOX
        kept[first] &= not taken[second]
        kept[second] &= not (taken[first] or (free[first] and surely))
        overlapped[second] |= free[first]
    for pair in range(len(overlapping)):
        first, second = overlapping[pair, FIRST], overlapping[pair, SECOND]
        overlapped[first] |= taken[second]
        overlapped[second] |= taken[first] or free[first]
    rows = kept.nonzero()[0]
    return rows, overlapped[rows]


def initiate(
    rows: IndexArray,
    detections: UsableDetections,
    size_px: tuple[int, int],
    first_id: int,
    now_ns: int,
    settings: TrackerSettings,
    overlapped: BoolArray | None = None,
) -> Tracks:
    """Begin one track per detection.

    Args:
        rows: (B,) the detections that start a track, as from `new_people`.
        detections: all of the frame.
        size_px: (width, height) of the picture.
        first_id: id of the first track; the others count on.
        now_ns: capture time of the frame.
        settings: those of the tracker.
        overlapped: (B,) mask of those whose boxes lie in another person's. Their score alone does not confirm them:
            wrong joints in one frame would start a second confirmed track for a body that has one.

    Returns:
        B tracks, confirmed where the score is high enough or confirmation takes no time, else tentative.
    """
    count = len(rows)
    centred, scores = detections.centred[rows], detections.scores[rows]
    body_px = body_sizes_px(centred)
    confirmed = scores >= settings.certain_score
    if overlapped is not None:
        confirmed &= ~overlapped
    confirmed |= settings.confirm_s == 0
    confirmed &= ~np.array([is_sliver(box, size_px, model.BORDERS) for box in centred], np.bool_)
    joints = np.zeros((count, 0, 3))
    if detections.joints is not None:
        joints = detections.joints[rows]
        joints[:, :, :2] -= centred[:, None, :2]
    colours = np.zeros((count, APPEARANCE_SIZE))
    if detections.appearance is not None:
        colours = detections.appearance[rows]
    return Tracks(
        ids=np.arange(first_id, first_id + count, dtype=np.int64),
        state=np.where(confirmed, CONFIRMED, TENTATIVE),
        born_ns=np.full(count, now_ns, np.int64),
        last_seen_ns=np.full(count, now_ns, np.int64),
        score=scores,
        body_px=body_px,
        filter_states=kalman.initiate(centred, body_px, model.MOTION),
        joints=joints,
        appearance=colours,
        unseen_since_ns=np.full(count, now_ns, np.int64),
        nis=np.ones(count),
    )
