"""Matching while the picture may have moved in a way that no frame announced: the people themselves witness it.

Each hypothesis about the picture's motion is judged by the gain of the best assignment after it, less a price for its
improbability. Usual frames have nothing to explain and pay for none of this.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array, IndexArray
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.compiled import compiled, plain
from tracking.detections import DetectionColumns, UsableDetections
from tracking.matching.association import gains_of, matched
from tracking.matching.likelihood import log_odds
from tracking.matching.picture_search import motions
from tracking.matching.sight import Sight
from tracking.motion.camera_memory import Passage
from tracking.motion.kalman import POSITION, VAR_POSITION
from tracking.motion.picture_map import PictureMap
from tracking.tracks import TENTATIVE, TrackColumns, Tracks

MOVE_PRICE = 5.0
"""What a camera that stood still must gain by moving, as log odds: it does so in one of some hundred frames."""

SHAKE_PRICE = 0.5
"""The same where the camera has moved a moment ago."""

ZOOM_PRICE = 1.0
"""What a zoom or roll must gain on top: it can be fitted to any two people."""

PICTURE_PRICE = 12.0
"""What any other motion must gain on top of that which the frames say with certainty 1."""

SIZE_PRICE = 1.0
"""What an unusual change of the picture's size must gain."""

EXPLAINED = 9.0
"""Squared distance, in variances, up to which a match is explained by a person's own motion."""

UNEXPLAINED_SHARE = 0.33
"""Share of the people just seen that must lack an explanation before the picture is suspected: one of two or three."""

AGREE = 2
"""Fewest people that must agree on a camera that stood still: one person alone has moved, not the picture."""

JOINT_SHIFT = 25.0
"""Squared mean shift of matched people, in its variances if each moved independently, from which on the picture is
suspected: five standard deviations."""

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
    suspected = passage.shake_px > 0.0 or is_suspect(
        plain(tracks.columns()), plain(detections.columns()), matches, seen_since_ns, settings.birth_score
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
    """Motions with their prices; the people in `rows` are the witnesses."""
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
    """The motion by which the tracks agree best with the detections; None if it is none."""
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


@compiled
def is_suspect(
    tracks: TrackColumns, detections: DetectionColumns, matches: IndexArray, seen_since_ns: int, birth_score: float
) -> bool:
    """Whether the picture may have moved: all are off together, or many are not where they should be and others are.

    Args:
        tracks: columns of T tracks.
        detections: columns of D detections.
        matches: (T,) the detection of each track, -1 for none.
        seen_since_ns: people seen since this capture time are witnesses.
        birth_score: score of a detection that may be a person elsewhere.
    """
    tracks, detections = TrackColumns(*tracks), DetectionColumns(*detections)
    states, body_px, centred, scores = tracks.filter_states, tracks.body_px, detections.centred, detections.scores
    witnesses = far = matched_people = 0
    weights, shifted = np.zeros(2), np.zeros(2)
    used = np.zeros(len(scores), np.bool_)
    for track in range(len(matches)):
        detection = matches[track]
        misfit = np.inf
        if detection >= 0:
            misfit = 0.0
            used[detection] = True
            matched_people += 1
            for axis in range(2):
                gap = centred[detection, axis] - states[POSITION, track, axis]
                variance = states[VAR_POSITION, track, axis]
                misfit += gap * gap / ((POSITION_STD * body_px[track]) ** 2 + variance)
                weight = 1.0 / ((MEASUREMENT_STD * body_px[track]) ** 2 + variance)
                weights[axis] += weight
                shifted[axis] += weight * gap
        if tracks.unseen_since_ns[track] >= seen_since_ns and tracks.state[track] != TENTATIVE:
            witnesses += 1
            far += misfit > EXPLAINED
    if witnesses < AGREE or len(scores) < AGREE:
        return False
    if matched_people and (shifted * shifted > JOINT_SHIFT * weights).any():
        return True
    if far == 0 or far < UNEXPLAINED_SHARE * witnesses:
        return False
    return bool((~used & (scores >= birth_score)).any())
