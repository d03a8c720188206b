"""Matching while the picture may have moved in a way that no frame announced: the people themselves witness it.

Each hypothesis about the picture's motion is judged by the gain of the best assignment after it, less a price for its
improbability. Usual frames have nothing to explain and pay for none of this.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array, IndexArray
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.compiled import compiled
from tracking.detections import UsableDetections
from tracking.matching.association import gains_of, matched
from tracking.matching.likelihood import log_odds
from tracking.matching.picture_search import AGREE, motions
from tracking.matching.sight import Sight
from tracking.motion.camera_memory import Passage
from tracking.motion.kalman import POSITION, VAR_POSITION
from tracking.motion.picture_map import PictureMap
from tracking.tracks import TENTATIVE, Tracks

MOVE_PRICE = 6.0
"""What a camera that stood still must gain by moving, as log odds: it does so in one of some hundred frames."""

SHAKE_PRICE = 0.5
"""The same where the camera has moved a moment ago."""

ZOOM_PRICE = 2.0
"""What a zoom or roll must gain on top: it can be fitted to any two people."""

PICTURE_PRICE = 12.0
"""What any other motion must gain on top of that which the frames say with certainty 1."""

SIZE_PRICE = 1.0
"""What an unusual change of the picture's size must gain."""

EXPLAINED = 9.0
"""Squared distance, in variances, up to which a match is explained by a person's own motion."""

UNEXPLAINED_SHARE = 0.33
"""Share of the people just seen that must lack an explanation before the picture is suspected: one of two or three."""

POSITION_STD = model.EVIDENCE.position_std


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
    anew = passage.shakes or passage.others
    if not (len(tracks) and len(detections)) or not (anew or (matches < 0).any()):
        return MatchedPeople(matches, odds, None)
    # Those of the last frame, however long ago that was.
    seen_since_ns = passage.last_ns - settings.in_sight_s * 1e9
    rows = ((tracks.unseen_since_ns >= seen_since_ns) & (tracks.state != TENTATIVE)).nonzero()[0]
    hypotheses = [(picture, SIZE_PRICE) for picture in passage.others]
    if passage.shakes or _is_suspect(tracks, detections, matches, rows, settings):
        hypotheses += _found(tracks, detections, rows, passage, settings)
    if not (hypotheses and len(rows)):
        return MatchedPeople(matches, odds, None)
    moved = _best(tracks.select(rows), detections, sight.select(rows), hypotheses, settings)
    if moved is None:
        return MatchedPeople(matches, odds, None)
    tracks.follow_picture(moved)
    odds = log_odds(tracks, detections, sight.placed, sight.resting)
    return MatchedPeople(matched(gains_of(odds, tracks, detections, sight.recent, settings)), odds, moved)


def _is_suspect(
    tracks: Tracks, detections: UsableDetections, matches: IndexArray, rows: IndexArray, settings: TrackerSettings
) -> bool:
    """Whether so many of the witnesses `rows` are not where they should be that the picture may have moved."""
    if len(rows) < AGREE or not (matches[rows] < 0).any():
        return False
    free = detections.scores >= settings.birth_score
    free[matches[matches >= 0]] = False
    if not free.any():
        return False
    far = misfits(tracks.filter_states, tracks.body_px, detections.centred, matches, rows) > EXPLAINED
    return bool(np.count_nonzero(far) >= UNEXPLAINED_SHARE * len(rows))


def _found(
    tracks: Tracks, detections: UsableDetections, rows: IndexArray, passage: Passage, settings: TrackerSettings
) -> list[tuple[PictureMap, float]]:
    """Motions with their prices; the people in `rows` are the witnesses."""
    told = PICTURE_PRICE * passage.certainty
    price = told + (SHAKE_PRICE if passage.shakes else MOVE_PRICE)
    back = None if passage.moved is None or passage.others else passage.moved.inverse()
    hypotheses = [] if back is None else [(back, told)]
    certain = detections.centred[detections.scores >= settings.high_score]
    for picture in motions(tracks.filter_states[:, rows], tracks.body_px[rows], certain, zooms=True):
        extra = 0.0 if picture.a == 1.0 and picture.b == 0.0 else ZOOM_PRICE
        hypotheses.append((picture, price + extra))
    return hypotheses


def _best(
    tracks: Tracks,
    detections: UsableDetections,
    sight: Sight,
    hypotheses: list[tuple[PictureMap, float]],
    settings: TrackerSettings,
) -> PictureMap | None:
    """The motion by which the tracks agree best with the detections; None if it is none."""
    best, highest = None, _total(tracks, detections, sight, settings)
    for picture, price in hypotheses:
        moved = tracks.copy()
        moved.follow_picture(picture)
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
