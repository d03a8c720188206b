"""Matching while the picture may have moved in a way that no frame announced: the people themselves witness it.

Each hypothesis about the picture's motion is judged by the gain of the best assignment after it, less a price for its
improbability. Usual frames have nothing to explain and pay for none of this.
"""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.compiled import compiled
from tracking.detections import UsableDetections
from tracking.matching.association import gains_of, matched
from tracking.matching.likelihood import log_odds
from tracking.matching.picture_search import motions
from tracking.motion.camera_memory import Passage
from tracking.motion.kalman import POSITION, VAR_POSITION
from tracking.motion.picture_map import PictureMap
from tracking.tracks import TENTATIVE, Tracks

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


def match_people(
    tracks: Tracks, detections: UsableDetections, recent: BoolArray, passage: Passage, settings: TrackerSettings
) -> tuple[IndexArray, PictureMap | None]:
    """Match detections to tracks, which follow the picture, in place, where it has evidently moved.

    Returns:
        matches (T,), the detection of each track, -1 for none; and the motion that was found, None for none.
    """
    odds = log_odds(tracks, detections, recent)
    matches = matched(gains_of(odds, tracks, detections, recent, settings))
    if not (len(tracks) and len(detections)):
        return matches, None
    # Those of the last frame, however long ago that was.
    seen_since_ns = passage.last_ns - settings.in_sight_s * 1e9
    rows = ((tracks.unseen_since_ns >= seen_since_ns) & (tracks.state != TENTATIVE)).nonzero()[0]
    if not len(rows):
        return matches, None
    hypotheses = [(picture, SIZE_PRICE) for picture in passage.others]
    if passage.shake_px > 0.0 or _is_suspect(tracks, detections, matches, rows, settings):
        hypotheses += _found(tracks, detections, rows, passage, settings)
    if not hypotheses:
        return matches, None
    moved = _best(tracks.select(rows), detections, recent[rows], hypotheses, settings)
    if moved is None:
        return matches, None
    tracks.follow_picture(moved)
    return matched(gains_of(log_odds(tracks, detections, recent), tracks, detections, recent, settings)), moved


def _is_suspect(
    tracks: Tracks, detections: UsableDetections, matches: IndexArray, rows: IndexArray, settings: TrackerSettings
) -> bool:
    """Whether so many of the witnesses `rows` are not where they should be that the picture may have moved."""
    if len(rows) < AGREE or len(detections) < AGREE:
        return False
    if joint_shift(tracks.filter_states, tracks.body_px, detections.centred, matches) > JOINT_SHIFT:
        return True
    if (matches[rows] >= 0).all():
        return False
    far = misfits(tracks.filter_states, tracks.body_px, detections.centred, matches, rows) > EXPLAINED
    if np.count_nonzero(far) < UNEXPLAINED_SHARE * len(rows):
        return False
    free = detections.scores >= settings.birth_score
    free[matches[matches >= 0]] = False
    return bool(free.any())


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
    recent: BoolArray,
    hypotheses: list[tuple[PictureMap, float]],
    settings: TrackerSettings,
) -> PictureMap | None:
    """The motion by which the tracks agree best with the detections; None if it is none."""
    best, highest = None, _total(tracks, detections, recent, settings)
    for picture, price in hypotheses:
        moved = tracks.copy()
        moved.follow_picture(picture)
        total = _total(moved, detections, recent, settings) - price
        if total > highest:
            best, highest = picture, total
    return best


def _total(tracks: Tracks, detections: UsableDetections, recent: BoolArray, settings: TrackerSettings) -> float:
    """The gain of the best assignment."""
    gains = gains_of(log_odds(tracks, detections, recent), tracks, detections, recent, settings)
    matches = matched(gains)
    rows = (matches >= 0).nonzero()[0]
    return float(gains[rows, matches[rows]].sum())


@compiled
def misfits(
    states: Float64Array, body_px: Float64Array, centred: Float64Array, matches: IndexArray, rows: IndexArray
) -> Float64Array:
    """Squared distances (R,) of the tracks `rows` (R,) from their detections in variances; infinite if unmatched."""
    found = np.full(len(rows), np.inf)
    for place in range(len(rows)):
        track = rows[place]
        detection = matches[track]
        if detection < 0:
            continue
        misfit = 0.0
        for axis in range(2):
            gap = centred[detection, axis] - states[POSITION, track, axis]
            misfit += gap * gap / ((POSITION_STD * body_px[track]) ** 2 + states[VAR_POSITION, track, axis])
        found[place] = misfit
    return found


@compiled
def joint_shift(states: Float64Array, body_px: Float64Array, centred: Float64Array, matches: IndexArray) -> float:
    """How far all matched people are off together: the squared weighted mean of the distances of their detections from
    where they were expected, in variances of that mean."""
    longest = 0.0
    for axis in range(2):
        weights = shifted = 0.0
        for track in range(len(matches)):
            if matches[track] < 0:
                continue
            noise = MEASUREMENT_STD * body_px[track]
            weight = 1.0 / (noise * noise + states[VAR_POSITION, track, axis])
            weights += weight
            shifted += weight * (centred[matches[track], axis] - states[POSITION, track, axis])
        longest = max(longest, shifted * shifted / max(weights, 1e-12))
    return longest
