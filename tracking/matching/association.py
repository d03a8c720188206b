"""Who is who: one optimal assignment of all detections to all tracks, by the sum of their log odds.

That a doubtful detection may only continue somebody in sight, and that low scores count less, is ByteTrack's insight
(Y. Zhang et al., "ByteTrack: Multi-object tracking by associating every detection box", ECCV 2022); here it is one
assignment instead of rounds, so that no early round takes what a later one needs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from posebus.arrays import BoolArray, Float64Array, Int64Array
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.compiled import compiled
from tracking.detections import Detections
from tracking.identities.track import TENTATIVE, Tracks

Indices = npt.NDArray[np.intp]


def associate(
    odds: Float64Array, tracks: Tracks, detections: Detections, in_sight: BoolArray, settings: TrackerSettings
) -> Indices:
    """The detection of each track (T,), -1 for none, from the log odds (T, D). `in_sight` (T,): seen a moment ago.

    A track unseen for longer comes back only on a sure detection: anything else is more often somebody beside than the
    one who was lost.
    """
    taken = np.full(len(tracks), -1, np.intp)
    if not odds.size:
        return taken
    worth = worths(odds, tracks.state, in_sight, detections.scores, settings.high_score, model.GATES)
    if not take_undisputed(taken, worth):
        take(taken, worth, *linear_sum_assignment(worth, maximize=True))
    return taken


@compiled
def take_undisputed(taken: Indices, worth: Float64Array) -> bool:
    """Give, in place, every track its only detection, if nobody wants two and no two want the same: most frames.

    False, and nothing given, where something is disputed.
    """
    wanted = np.zeros(worth.shape[1], np.bool_)
    for track in range(worth.shape[0]):
        for detection in range(worth.shape[1]):
            if worth[track, detection] > 0.0:
                if taken[track] >= 0 or wanted[detection]:
                    taken[:] = -1
                    return False
                taken[track], wanted[detection] = detection, True
    return True


@compiled
def take(taken: Indices, worth: Float64Array, rows: Indices, columns: Indices) -> None:
    """Give, in place, what was assigned, except where it is worth nothing."""
    for row, column in zip(rows, columns):  # noqa: B905 compiled code knows no `strict`
        if worth[row, column] > 0.0:
            taken[row] = column


@compiled
def worths(
    odds: Float64Array,
    state: Int64Array,
    in_sight: BoolArray,
    scores: Float64Array,
    high_score: float,
    gates: model.Gates,
) -> Float64Array:
    """(T, D): what each pair adds to the assignment: its log odds above the gate, times the detection's score.

    A pair that is not allowed counts as nothing rather than as its own value, so that a hopeless pair never talks
    two good ones out of each other. The score breaks near-ties between a body and its paler double.
    """
    worth = np.zeros(odds.shape)
    for track in range(len(state)):
        known = state[track] != TENTATIVE
        gate = gates.pair if known else gates.pair - gates.tentative_penalty
        for detection in range(len(scores)):
            sure = scores[detection] >= high_score
            if sure or (known and in_sight[track]):
                gain = odds[track, detection] + gate - (0.0 if sure else gates.doubt_penalty)
                value = gain * scores[detection]
                # Boxes of absurd sizes overflow: what is no number is not worth anything either.
                worth[track, detection] = value if 0.0 < value < np.inf else 0.0
    return worth
