"""Who is who: detections are given to tracks in rounds, the surest first, each round as one optimal assignment.

The rounds follow ByteTrack (Y. Zhang et al., "ByteTrack: Multi-object tracking by associating every detection box",
ECCV 2022): sure detections to known tracks; then the doubtful ones (a body half hidden scores low) to the tracks that
are left and were in sight a moment ago; then sure ones to tracks that are not yet believed. A last round joins what is
left over on both sides and lies roughly where it should.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from posebus.settings import TrackerSettings
from tracking.detections import Detections
from tracking.similarity import pose_likeness
from tracking.track import TENTATIVE, Tracks

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

SURE_AT_LEAST = 0.35
"""Similarity from which a sure detection continues a known track."""

DOUBTFUL_AT_LEAST = 0.35
"""The same for a doubtful one."""

IN_SIGHT_S = 0.2
"""A track unseen for longer comes back only on a detection that is sure and alike: anything else is more often
somebody beside than the one who was lost."""

TENTATIVE_AT_LEAST = 0.3
"""Similarity from which a sure detection continues a track that is not yet believed."""

LEFT_OVER_AT_LEAST = 0.07
"""Similarity from which a track in sight and a sure detection, both left over, are taken for the same person."""

LEFT_OVER_POSE = 0.3
"""The same for their skeletons alone, whatever the boxes say ..."""

LEFT_OVER_VISIBLE = 0.1
"""... if at least this part of the joints is seen on both sides."""


@dataclass(frozen=True, slots=True)
class Round:
    """One assignment: which tracks (T,) may take which detections (D,), and how alike a pair must be at least."""

    tracks: Bools
    detections: Bools
    at_least: float


def associate(alike: Floats, tracks: Tracks, detections: Detections, now_ns: int, settings: TrackerSettings) -> Indices:
    """The detection of each track (T,), -1 for none, from the similarities `alike` (T, D)."""
    known = tracks.state != TENTATIVE
    in_sight = now_ns - tracks.seen_ns <= IN_SIGHT_S * 1e9
    sure = detections.scores >= settings.high_score
    rounds = (
        Round(known, sure, SURE_AT_LEAST),
        Round(known & in_sight, ~sure, DOUBTFUL_AT_LEAST),
        Round(~known, sure, TENTATIVE_AT_LEAST),
    )
    taken = in_rounds(alike, detections.scores, rounds)
    return with_left_overs(taken, alike, tracks, detections, known & in_sight, sure)


def with_left_overs(
    taken: Indices, alike: Floats, tracks: Tracks, detections: Detections, open_tracks: Bools, sure: Bools
) -> Indices:
    """`taken` completed by pairs of an open track (T,) and a sure detection (D,) that both were left over.

    Alike enough, or with joints where they are expected: when a table hides the legs, the box shrinks within a frame
    to something unlike it, but head and shoulders stay where they were.
    """
    free = sure.copy()
    free[taken[taken >= 0]] = False
    rows, columns = np.flatnonzero(open_tracks & (taken < 0)), np.flatnonzero(free)
    if not len(rows) or not len(columns):
        return taken
    left, right = np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    pose, visible = pose_likeness(tracks.select(left), detections.select(right))
    posed = (pose >= LEFT_OVER_POSE) & (visible >= LEFT_OVER_VISIBLE)
    likeness = np.maximum(alike[left, right], np.where(posed, pose, 0.0)).reshape(len(rows), len(columns))
    matched, chosen = assign(likeness, detections.scores[columns], LEFT_OVER_AT_LEAST)
    completed = taken.copy()
    completed[rows[matched]] = columns[chosen]
    return completed


def in_rounds(alike: Floats, scores: Floats, rounds: tuple[Round, ...]) -> Indices:
    """The detection of each track (T,), -1 for none, after all rounds; what an earlier round gave stays given."""
    taken = np.full(alike.shape[0], -1, np.intp)
    free = np.ones(alike.shape[1], np.bool_)
    for step in rounds:
        tracks = np.flatnonzero(step.tracks & (taken < 0))
        detections = np.flatnonzero(step.detections & free)
        if not len(tracks) or not len(detections):
            continue
        rows, columns = assign(alike[np.ix_(tracks, detections)], scores[detections], step.at_least)
        taken[tracks[rows]] = detections[columns]
        free[detections[columns]] = False
    return taken


def assign(alike: Floats, scores: Floats, at_least: float) -> tuple[Indices, Indices]:
    """Rows and columns of the pairs with the greatest sum of similarity times score, none under `at_least` alike.

    A pair that is not allowed counts as nothing rather than as its own value, so that a hopeless pair never talks
    two good ones out of each other. The score (D,) breaks near-ties between a body and its paler double.
    """
    allowed = alike >= at_least
    if not allowed.any():
        return np.empty(0, np.intp), np.empty(0, np.intp)
    rows, columns = linear_sum_assignment(np.where(allowed, alike * scores, 0.0), maximize=True)
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]
