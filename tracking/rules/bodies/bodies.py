"""The bodies of one frame: posture, way down and signs of each person, computed once for all rules about bodies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from posebus.arrays import Float64Array
from posebus.messages import Track
from tracking.body_model.skeleton import JOINTS
from tracking.rules.bodies.descent import (
    DOWN_BELOW,
    HEIGHT,
    MIDDLE_X,
    MIDDLE_Y,
    SEEN_AT_S,
    STANDING,
    STATE,
    UPRIGHT_AT_S,
    follow,
)
from tracking.rules.bodies.posture import MEASURES, measure
from tracking.rules.bodies.signs import SIGNS, TOPPLES, read_signs

SHARED_KEY = "body"
"""What is remembered of a person, in the memory that all rules of a camera share: the row of STATE columns."""

DECIMALS = 4
"""Of remembered numbers: tenths of milliseconds and less than a pixel, in a snapshot of half the size."""

TOPPLES_KEY = "topples"
"""In the same memory, of a person who toppled when last seen: true."""

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
    people: Sequence[Track],
    boxes_px: Float64Array,
    keypoints_px: Float64Array | None,
    size_px: tuple[int, int],
    now_s: float,
    shared: dict[int, dict[str, Any]],
) -> BodiesOfFrame:
    """Measure the people of a frame and go on with what `shared` remembers of them, which is changed.

    Args:
        people: N tracks.
        boxes_px: (N, 4).
        keypoints_px: (N, K, 3), or None; only those of 17 joints are used.
        size_px: (width, height) of the picture.
        now_s: capture time.
        shared: memory by track id, see `Scene.shared`.
    """
    count = len(people)
    fresh = [not one.coasted for one in people]
    if keypoints_px is None or keypoints_px.shape[1] != JOINTS:
        keypoints_px = np.zeros((count, JOINTS, 3))
    measures, signs = np.empty((count, MEASURES)), np.empty((count, SIGNS))
    state = np.full((count, STATE), -1.0)
    seen_ids = {one.id for one in people if not one.coasted}
    for row, one in enumerate(people):
        memory = shared.get(one.id)
        known = None if memory is None else memory.get(SHARED_KEY)
        if known is None and fresh[row]:
            known = _lost_in_a_fall(boxes_px[row], now_s, shared, seen_ids)
        if known is not None and len(known) == STATE:
            state[row] = known
    measure(boxes_px, keypoints_px, float(size_px[1]), measures)
    follow(state, boxes_px, measures, np.array(fresh, np.bool_), now_s)
    read_signs(state, measures, signs)
    for row, (one, known) in enumerate(zip(people, np.round(state, DECIMALS).tolist(), strict=True)):
        if fresh[row]:
            remembered = shared.setdefault(one.id, {})
            remembered[SHARED_KEY] = known
            if signs[row, TOPPLES] > 0.0:
                remembered[TOPPLES_KEY] = True
            else:
                remembered.pop(TOPPLES_KEY, None)
    return BodiesOfFrame(fresh, measures, state, signs.T.tolist())


def _lost_in_a_fall(
    box_px: Float64Array, now_s: float, shared: dict[int, dict[str, Any]], seen_ids: AbstractSet[int]
) -> list[float] | None:
    """What is remembered of the person who was upright where a new track (4,) begins low, and is not seen any more.

    seen_ids: the tracks that are detected in this frame.
    """
    x, y = (box_px[0] + box_px[2]) / 2, (box_px[1] + box_px[3]) / 2
    for track_id, memory in shared.items():
        known: list[float] | None = memory.get(SHARED_KEY)
        if (
            track_id in seen_ids
            or known is None
            or known[SEEN_AT_S] >= now_s
            or known[UPRIGHT_AT_S] < now_s - SAME_BODY_S
        ):
            continue
        standing = known[STANDING]
        near = math.hypot(x - known[MIDDLE_X], y - known[MIDDLE_Y]) <= SAME_BODY * standing
        if near and box_px[3] - box_px[1] < DOWN_BELOW * standing and known[HEIGHT] > 0.0:
            return known
    return None
