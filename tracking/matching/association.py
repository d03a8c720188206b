"""Matching of tracks and detections: one optimal assignment of all of them, by the sum of log odds.

That a low-score detection may only continue a track that was updated recently, and that low scores count less, is
ByteTrack's insight (Y. Zhang et al., "ByteTrack: Multi-object tracking by associating every detection box", ECCV 2022);
here it is one assignment instead of rounds, so that no early round takes a detection that a later one needs.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.compiled import compiled, plain
from tracking.detections import UsableDetections
from tracking.tracks import TENTATIVE, Tracks


def associate(
    odds: Float64Array, tracks: Tracks, detections: UsableDetections, recent: BoolArray, settings: TrackerSettings
) -> IndexArray:
    """Match detections to tracks.

    A track that is not recent is only matched with a high-score detection: any other is more often a person beside it
    than the lost one.

    Args:
        odds: (T, D) log odds of each pair, as from `log_odds`.
        tracks: T tracks, predicted to this frame.
        detections: D detections.
        recent: (T,) mask of the tracks that were updated within `in_sight_s`.
        settings: those of the tracker.

    Returns:
        matches (T,): the detection of each track, -1 for none.
    """
    return matched(gains_of(odds, tracks, detections, recent, settings))


def gains_of(
    odds: Float64Array, tracks: Tracks, detections: UsableDetections, recent: BoolArray, settings: TrackerSettings
) -> Float64Array:
    """What each pair would add to the assignment (T, D); arguments as in `associate`."""
    if not odds.size:
        return odds
    return assignment_gains(odds, tracks.state, recent, detections.scores, settings.high_score, plain(model.GATES))


def matched(gains: Float64Array) -> IndexArray:
    """The assignment with the largest sum of `gains` (T, D): matches (T,), -1 where there is nothing to gain."""
    matches = np.full(len(gains), -1, np.intp)
    if gains.size and not match_unambiguous(matches, gains):
        match_assigned(matches, gains, *linear_sum_assignment(gains, maximize=True))
    return matches


@compiled
def match_unambiguous(matches: IndexArray, gains: Float64Array) -> bool:
    """Match, in place, without an assignment if each track and each detection has one candidate at most: most frames.

    Returns False, with no match made, if any has two.
    """
    used = np.zeros(gains.shape[1], np.bool_)
    for track in range(gains.shape[0]):
        for detection in range(gains.shape[1]):
            if gains[track, detection] > 0.0:
                if matches[track] >= 0 or used[detection]:
                    matches[:] = -1
                    return False
                matches[track], used[detection] = detection, True
    return True


@compiled
def match_assigned(matches: IndexArray, gains: Float64Array, rows: IndexArray, columns: IndexArray) -> None:
    """Match, in place, the assigned pairs (rows[i], columns[i]) that gain anything."""
    for row, column in zip(rows, columns):  # noqa: B905 compiled code knows no `strict`
        if gains[row, column] > 0.0:
            matches[row] = column


@compiled
def assignment_gains(
    odds: Float64Array,
    state: Int64Array,
    recent: BoolArray,
    scores: Float64Array,
    high_score: float,
    gates: model.Gates,
) -> Float64Array:
    """What each pair adds to the assignment (T, D): its log odds above the gate, times the detection's score.

    A pair below the gate gains 0 and not less, so that it never costs two good pairs their match. The score breaks
    near-ties between a detection and its weaker duplicate.

    Args:
        odds: (T, D) log odds of each pair.
        state: (T,) states of the tracks.
        recent: (T,) mask of the tracks that were updated recently.
        scores: (D,) of the detections.
        high_score: from here on a detection may match any track.
        gates: constants.
    """
    gates = model.Gates(*gates)
    gains = np.zeros(odds.shape)
    for track in range(len(state)):
        known = state[track] != TENTATIVE
        gate = gates.pair if known else gates.pair - gates.tentative_penalty
        for detection in range(len(scores)):
            high = scores[detection] >= high_score
            if high or (known and recent[track]):
                gain = odds[track, detection] + gate - (0.0 if high else gates.doubt_penalty)
                value = gain * scores[detection]
                # Boxes of absurd sizes overflow: NaN and infinity gain nothing either.
                gains[track, detection] = value if 0.0 < value < np.inf else 0.0
    return gains
