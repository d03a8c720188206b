"""Matching while the picture may have moved although no frame said so: the detections together are the evidence for it.

Each hypothesis about the picture's motion is scored by the gain of the best assignment after it, less a penalty, its
negative log prior. Frames whose detections fit the tracks cost nothing extra.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array, IndexArray, Int64Array
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.compiled import compiled, plain
from tracking.detections import UsableDetections
from tracking.matching.association import gains_of, matched
from tracking.matching.likelihood import log_odds
from tracking.matching.picture_search import motions
from tracking.matching.sight import Sight
from tracking.motion.camera_memory import Passage
from tracking.motion.kalman import POSITION, VAR_POSITION
from tracking.motion.picture_map import PictureMap
from tracking.tracks import TENTATIVE, Tracks

MOVE_PRICE = 5.0
"""Penalty, in log odds, for a motion of a camera that stood still: it moves in one of some hundred frames."""

SHAKE_PRICE = 0.5
"""The same if the camera moved a moment ago."""

ZOOM_PRICE = 1.0
"""Additional penalty for a zoom or roll, since one can be fitted to any two people."""

PICTURE_PRICE = 12.0
"""Additional penalty for another motion than the one that the frame gives with certainty 1."""

SIZE_PRICE = 1.0
"""Penalty for an unusual change of the picture's size."""

EXPLAINED = 9.0
"""Squared distance, in variances, up to which a match is explained by a person's own motion."""

UNEXPLAINED_SHARE = 0.33
"""Share of the people just seen that must be unexplained before a motion of the picture is considered: one of two or
three."""

AGREE = 2
"""Fewest people that must agree on a camera that stood still: one person alone has moved, not the picture."""

JOINT_SHIFT = 25.0
"""Squared mean shift of matched people, in its variances if each moved independently, from which on a motion of the
picture is considered: five standard deviations."""

POSITION_STD = model.EVIDENCE.position_std
MEASUREMENT_STD = model.MOTION.measurement_std[0]


class MatchedPeople(NamedTuple):
    """The detection (T,) of each track, -1 for none; the log odds (T, D) of the pairs; and the motion of the picture
    that the people showed, None for none."""

    matches: IndexArray
    odds: Float64Array
    moved: PictureMap | None


def match_people(
    tracks: Tracks, detections: UsableDetections, sight: Sight, passage: Passage, settings: TrackerSettings
) -> MatchedPeople:
    """Match detections to tracks, which follow the picture, in place, where it has evidently moved."""
    odds = log_odds(tracks, detections, sight.placed, sight.resting)
    matches = matched(gains_of(odds, tracks, detections, sight.recent, settings))
    unmoved = MatchedPeople(matches, odds, None)
    if not (len(tracks) and len(detections)):
        return unmoved
    # Those of the last frame, however long ago that was.
    seen_since_ns = passage.last_ns - round(settings.in_sight_s * 1e9)
    witnesses = SeenColumns(tracks.filter_states, tracks.body_px, tracks.state, tracks.unseen_since_ns)
    suspected = passage.shake_px > 0.0 or is_suspect(
        plain(witnesses), detections.centred, detections.scores, matches, seen_since_ns, settings.birth_score
    )
    if not (suspected or passage.others):
        return unmoved
    rows = ((tracks.unseen_since_ns >= seen_since_ns) & (tracks.state != TENTATIVE)).nonzero()[0]
    hypotheses = [(picture, SIZE_PRICE) for picture in passage.others]
    if suspected and len(rows):
        hypotheses += _found(tracks, detections, rows, passage, settings)
    moved = _best(tracks.select(rows), detections, sight.select(rows), hypotheses, passage.size_px, settings)
    if moved is None:
        return unmoved
    tracks.follow_picture(moved, passage.size_px)
    odds = log_odds(tracks, detections, sight.placed, sight.resting)
    return MatchedPeople(matched(gains_of(odds, tracks, detections, sight.recent, settings)), odds, moved)


def _found(
    tracks: Tracks, detections: UsableDetections, rows: IndexArray, passage: Passage, settings: TrackerSettings
) -> list[tuple[PictureMap, float]]:
    """Candidate motions with their penalties, by the people in `rows`."""
    told = PICTURE_PRICE * passage.certainty
    least = 1 if passage.shake_px > 0.0 else AGREE
    back = None if passage.moved is None or passage.others else passage.moved.inverse()
    hypotheses = [] if back is None else [(back, told)]
    certain = detections.centred[detections.scores >= settings.high_score]
    centre = tracks.filter_states[POSITION, rows, :2].mean(axis=0).tolist()
    for picture in motions(tracks.filter_states[:, rows], tracks.body_px[rows], certain, least):
        price = told
        if passage.shake_px > 0.0:
            strides = math.dist(picture.at(*centre), centre) / passage.shake_px
            price += min(SHAKE_PRICE + 0.5 * strides**2, MOVE_PRICE)
        else:
            price += MOVE_PRICE
        if (picture.a, picture.b) != (1.0, 0.0):
            price += ZOOM_PRICE
        hypotheses.append((picture, price))
    return hypotheses


def _best(
    tracks: Tracks,
    detections: UsableDetections,
    sight: Sight,
    hypotheses: list[tuple[PictureMap, float]],
    size_px: tuple[int, int],
    settings: TrackerSettings,
) -> PictureMap | None:
    """The motion after which the tracks fit the detections best; None if they fit best without one."""
    best, highest = None, _total(tracks, detections, sight, settings)
    for picture, price in hypotheses:
        moved = tracks.copy()
        moved.follow_picture(picture, size_px)
        total = _total(moved, detections, sight, settings) - price
        if total > highest:
            best, highest = picture, total
    return best


def _total(tracks: Tracks, detections: UsableDetections, sight: Sight, settings: TrackerSettings) -> float:
    """The gain of the best assignment."""
    odds = log_odds(tracks, detections, sight.placed, sight.resting)
    gains = gains_of(odds, tracks, detections, sight.recent, settings)
    matches = matched(gains)
    rows = (matches >= 0).nonzero()[0]
    return float(gains[rows, matches[rows]].sum())


class SeenColumns(NamedTuple):
    """The columns of `Tracks` that show whether the picture has moved."""

    filter_states: Float64Array
    body_px: Float64Array
    state: Int64Array
    unseen_since_ns: Int64Array


@compiled
def is_suspect(
    tracks: SeenColumns,
    centred: Float64Array,
    scores: Float64Array,
    matches: IndexArray,
    seen_since_ns: int,
    birth_score: float,
) -> bool:
    """Whether the picture may have moved: all matches are shifted together, or many tracks and detections are
    unexplained.

    Args:
        tracks: columns of T tracks.
        centred: (D, 4) boxes of the detections.
        scores: (D,) their scores.
        matches: (T,) the detection of each track, -1 for none.
        seen_since_ns: only tracks detected since this capture time count.
        birth_score: least score of an unmatched detection that counts.
    """
    tracks = SeenColumns(*tracks)
    witnesses = far = 0
    # Sums of weights and of weighted distances, in x and y.
    weights_x = weights_y = shifted_x = shifted_y = 0.0
    for track in range(len(matches)):
        detection, body_px = matches[track], tracks.body_px[track]
        misfit = np.inf
        if detection >= 0:
            gap_x = centred[detection, 0] - tracks.filter_states[POSITION, track, 0]
            gap_y = centred[detection, 1] - tracks.filter_states[POSITION, track, 1]
            unsure_x = tracks.filter_states[VAR_POSITION, track, 0]
            unsure_y = tracks.filter_states[VAR_POSITION, track, 1]
            reach2, noise2 = (POSITION_STD * body_px) ** 2, (MEASUREMENT_STD * body_px) ** 2
            misfit = gap_x * gap_x / (reach2 + unsure_x) + gap_y * gap_y / (reach2 + unsure_y)
            weights_x += 1.0 / (noise2 + unsure_x)
            weights_y += 1.0 / (noise2 + unsure_y)
            shifted_x += gap_x / (noise2 + unsure_x)
            shifted_y += gap_y / (noise2 + unsure_y)
        if tracks.unseen_since_ns[track] >= seen_since_ns and tracks.state[track] != TENTATIVE:
            witnesses += 1
            if misfit > EXPLAINED:
                far += 1
    if witnesses < AGREE or len(scores) < AGREE:
        return False
    if shifted_x * shifted_x > JOINT_SHIFT * weights_x or shifted_y * shifted_y > JOINT_SHIFT * weights_y:
        return True
    if far == 0 or far < UNEXPLAINED_SHARE * witnesses:
        return False
    free = scores >= birth_score
    for track in range(len(matches)):
        if matches[track] >= 0:
            free[matches[track]] = False
    return bool(free.any())
