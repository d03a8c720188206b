"""Tracks that may just have been swapped: exchanging their detections changes the log odds of the assignment by
little."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array, IndexArray, Int64Array
from tracking import body_model as model
from tracking.compiled import compiled
from tracking.tracks import TENTATIVE, Tracks


def rivals(odds: Float64Array, tracks: Tracks, matches: IndexArray) -> Int64Array:
    """Pairs (P, 2) of ids, the smaller first, of tracks one of which may have been matched with the other's detection.

    Args:
        odds: (T, D) log odds of each pair of a track and a detection.
        tracks: T tracks.
        matches: (T,) the detection of each track, -1 for none.
    """
    return tracks.ids[_rivals(odds, tracks.state, matches, model.GATES.pair, model.DOUBTS.confusing)]


@compiled
def _rivals(odds: Float64Array, state: Int64Array, matches: IndexArray, gate: float, confusing: float) -> Int64Array:
    rows = np.empty((0, 2), np.int64)
    found = 0
    for one in range(len(matches)):
        taken = matches[one]
        if taken < 0 or state[one] == TENTATIVE:
            continue
        for other in range(len(matches)):
            if odds[other, taken] <= -gate or other == one or state[other] == TENTATIVE:
                continue
            # Of two that were both detected, the pair is met twice.
            if matches[other] >= 0 and (other < one or odds[one, matches[other]] <= -gate):
                continue
            loss = odds[one, taken] - odds[other, taken]
            if matches[other] >= 0:
                loss += odds[other, matches[other]] - odds[one, matches[other]]
            if loss >= confusing:
                continue
            if found == len(rows):
                rows = np.concatenate((rows, np.empty((found + 8, 2), np.int64)))
            rows[found, 0], rows[found, 1] = min(one, other), max(one, other)
            found += 1
    return rows[:found].copy()
