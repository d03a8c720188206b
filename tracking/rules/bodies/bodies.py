"""The bodies of one frame: posture, way down and signs of each person, computed once for all rules about bodies."""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from tracking.compiled import compiled
from tracking.rules.bodies.descent import (
    DOWN_BELOW,
    HEIGHT,
    MIDDLE_X,
    MIDDLE_Y,
    SEEN_AT_S,
    STANDING,
    STATE,
    TOPPLES,
    UPRIGHT_AT_S,
    follow,
)
from tracking.rules.bodies.kept import BODY_KEY, Kept, keep_rounded
from tracking.rules.bodies.posture import MEASURES, measure
from tracking.rules.bodies.signs import SIGNS, read_signs
from tracking.rules.bodies.toppling import topples

SCALE = 1e4
"""Of remembered numbers, which have four decimals: tenths of milliseconds and less than a pixel, in a snapshot of half
the size."""

CONTINUES_KEY = "continues"
"""In the memory that all rules of a camera share, of a track that began low: the track of the same person before."""

SAME_BODY_S, SAME_BODY = 1.2, 1.0
"""A track that begins low, so soon after another one was last seen upright, and so near, in standing heights, is the
same person: detectors lose people while they fall."""


class BodiesOfFrame:
    """N people of one frame, in the order of the scene.

    fresh: N, whether the person was detected in this frame; nothing is learned from predicted boxes. measures: (N,
    MEASURES) as described in `posture`; state: (N, STATE) as described in `descent`; signs: SIGNS lists of N, as
    described in `signs`.
    """

    __slots__ = ("fresh", "measures", "signs", "state")

    def __init__(
        self, fresh: list[bool], measures: Float64Array, state: Float64Array, signs: list[list[float]]
    ) -> None:
        self.fresh = fresh
        self.measures = measures
        self.state = state
        self.signs = signs


def bodies_of(
    ids: list[int],
    fresh: BoolArray,
    boxes_px: Float64Array,
    joints_px: Float64Array,
    size_px: tuple[int, int],
    now_s: float,
    kept: Kept,
) -> BodiesOfFrame:
    """Measure the people of a frame and go on with what is kept of them, which is changed.

    Args:
        ids: (N,) numbers of the people.
        fresh: (N,) whether they were detected in this frame.
        boxes_px: (N, 4).
        joints_px: (N, 17, 3), confidence 0 where there are none.
        size_px: (width, height) of the picture.
        now_s: capture time.
        kept: memory of the camera's rules.
    """
    count = len(ids)
    measures, signs, state = np.empty((count, MEASURES)), np.empty((count, SIGNS)), np.empty((count, STATE))
    rows, unknown = kept.bodies.of(ids)
    for row in unknown:
        if fresh[row]:
            before = _lost_in_a_fall(boxes_px[row], now_s, ids, fresh, kept)
            if before is not None:
                rows[row] = kept.by_id[before][BODY_KEY]
                kept.others.setdefault(ids[row], {})[CONTINUES_KEY] = before
    _see(rows, boxes_px, joints_px, fresh, (float(size_px[1]), now_s), state, measures, signs)
    kept.bodies.changed(fresh)
    return BodiesOfFrame(fresh.tolist(), measures, state, signs.T.tolist())


@compiled
def _see(
    kept: Float64Array,
    boxes_px: Float64Array,
    joints_px: Float64Array,
    fresh: BoolArray,
    frame: tuple[float, float],
    state: Float64Array,
    measures: Float64Array,
    signs: Float64Array,
) -> None:
    """Fill `state` (N, STATE), `measures` and `signs` from what is kept (N, STATE), and keep the state, rounded.

    frame: height of the picture, and capture time.
    """
    state[:] = kept
    measure(boxes_px, joints_px, frame[0], measures)
    follow(state, boxes_px, measures, fresh, frame[1])
    for row in range(len(state)):
        if fresh[row]:
            state[row, TOPPLES] = 1.0 if topples(state[row], measures[row]) else 0.0
    read_signs(state, measures, signs)
    keep_rounded(kept, state, fresh, SCALE)


def _lost_in_a_fall(box_px: Float64Array, now_s: float, ids: list[int], fresh: BoolArray, kept: Kept) -> int | None:
    """The track of the person who was upright where a new track (4,) begins low, and is not seen any more.

    ids: (N,) of the people of the frame. fresh: (N,) whether they are detected in it.
    """
    seen_ids = {track_id for track_id, seen in zip(ids, fresh.tolist(), strict=True) if seen}
    x, y = (box_px[0] + box_px[2]) / 2, (box_px[1] + box_px[3]) / 2
    for track_id, memory in kept.by_id.items():
        known: list[float] | None = memory.get(BODY_KEY)
        if (
            track_id in seen_ids
            or known is None
            or len(known) != STATE
            or known[SEEN_AT_S] >= now_s
            or known[UPRIGHT_AT_S] < now_s - SAME_BODY_S
        ):
            continue
        standing = known[STANDING]
        near = math.hypot(x - known[MIDDLE_X], y - known[MIDDLE_Y]) <= SAME_BODY * standing
        if near and box_px[3] - box_px[1] < DOWN_BELOW * standing and known[HEIGHT] > 0.0:
            return track_id
    return None
