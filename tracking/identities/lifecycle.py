"""When identities are believed, are lost and end: all by elapsed time, never by counting frames."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray, Float64Array, Int64Array
from posebus.config.settings import TrackerSettings
from tracking import body_model as model
from tracking.boxes import MIN_SIDE_PX
from tracking.compiled import compiled
from tracking.detections import Detections
from tracking.identities.track import CONFIRMED, LOST, TENTATIVE, Tracks
from tracking.matching.colours import remember
from tracking.matching.likelihood import Seen
from tracking.motion import kalman
from tracking.motion.borders import at_border, is_sliver, leaving
from tracking.motion.kalman import POSITION, VAR_POSITION, correct
from tracking.motion.smoothing import follow_joints

Indices = npt.NDArray[np.intp]

DOUBT_JITTER = 1.0
"""How much more a box of score 0 trembles than one of score 1, in parts of the latter's jitter. Source: Y. Du et al.,
"GIAOTracker: A comprehensive framework for MCMOT", ICCVW 2021 (noise scale adaptive Kalman filter)."""

SURPRISE_SHARE = 0.2
"""What the newest of its detections counts in a track's `surprise`."""

MOST_SURPRISE = 25.0
"""A box that is five standard deviations off is a box gone wrong; more would only be remembered for longer."""

MOST_ELAPSED_S = 1.0
"""Nor do gaps in the stream make anybody forget more than this much time does."""


def outlived(tracks: Tracks, size_px: tuple[int, int], now_ns: int, settings: TrackerSettings) -> BoolArray:
    """Which tracks (T,) have been unseen for longer than a lost one may live, and end with this frame.

    Who was last seen walking out of the picture is not waited for: who enters there is somebody else.
    """
    soon_ns = round(min(settings.leaving_s, settings.lost_s) * 1e9)
    times_ns = (now_ns, soon_ns, round(settings.lost_s * 1e9))
    return _outlived(tracks.beliefs, tracks.size_px, tracks.unseen_from_ns, size_px, times_ns, model.BORDERS)


@compiled
def _outlived(
    beliefs: Float64Array,
    sizes_px: Float64Array,
    unseen_from_ns: Int64Array,
    size_px: tuple[int, int],
    times_ns: tuple[int, int, int],
    borders: model.Borders,
) -> BoolArray:
    now_ns, soon_ns, lost_ns = times_ns
    over = np.zeros(len(unseen_from_ns), np.bool_)
    for track in range(len(unseen_from_ns)):
        unseen_ns = now_ns - unseen_from_ns[track]
        if unseen_ns > soon_ns:
            over[track] = unseen_ns > lost_ns or leaving(beliefs, track, sizes_px[track], size_px, borders)
    return over


class Columns(NamedTuple):
    """The columns of `Tracks` that a detection, or the lack of one, changes; shared with it."""

    state: Int64Array
    born_ns: Int64Array
    seen_ns: Int64Array
    score: Float64Array
    size_px: Float64Array
    beliefs: Float64Array
    joints: Float64Array
    unseen_from_ns: Int64Array
    surprise: Float64Array


def _columns(tracks: Tracks) -> Columns:
    return Columns(
        *(tracks.state, tracks.born_ns, tracks.seen_ns, tracks.score, tracks.size_px, tracks.beliefs, tracks.joints),
        *(tracks.unseen_from_ns, tracks.surprise),
    )


def see(
    tracks: Tracks,
    taken: Indices,
    detections: Detections,
    size_px: tuple[int, int],
    now_ns: int,
    settings: TrackerSettings,
) -> None:
    """Correct the tracks by this frame's detections, in place. `taken` (T,) as from `associate`."""
    if detections.appearance is not None:
        _remember_colours(tracks.appearance, taken, detections.appearance, detections.scores, tracks.seen_ns, now_ns)
    joints = detections.joints
    if joints is None:
        joints = np.zeros((len(detections), 0, 3))
    confirm_ns = round(settings.confirm_s * 1e9)
    _see(
        _columns(tracks),
        taken,
        Seen(detections.centred, joints),
        detections.scores,
        size_px,
        (now_ns, confirm_ns),
        model.MOTION,
        model.BORDERS,
    )


@compiled
def _see(
    tracks: Columns,
    taken: Indices,
    seen: Seen,
    scores: Float64Array,
    size_px: tuple[int, int],
    times_ns: tuple[int, int],
    motion: kalman.Motion,
    borders: model.Borders,
) -> None:
    now_ns, confirm_ns = times_ns
    jitter, together_s = np.array(motion.jitter), np.array(motion.together_s)
    for track in range(len(taken)):
        detection = taken[track]
        if detection < 0:
            continue
        score, body_px, box = scores[detection], tracks.size_px[track], seen.centred[detection]
        dt_s = (now_ns - tracks.seen_ns[track]) / 1e9
        jitter_px = body_px * (1.0 + DOUBT_JITTER * (1.0 - score)) * jitter * np.sqrt(1.0 + 2.0 * together_s / dt_s)
        for axis in range(2):
            if at_border(box, axis, size_px, borders):
                # What the border cuts does change its size from frame to frame, and must not be taken for trembling.
                jitter_px[2 + axis] = borders.cut_jitter * body_px
        surprise = _surprise(tracks.beliefs, track, box, jitter_px)
        tracks.surprise[track] += SURPRISE_SHARE * (surprise - tracks.surprise[track])
        correct(tracks.beliefs, track, box, jitter_px)
        position = tracks.beliefs[POSITION, track]
        if seen.joints.shape[1]:
            joints = seen.joints[detection].copy()
            joints[:, 0] -= position[0]
            joints[:, 1] -= position[1]
            follow_joints(tracks.joints[track], joints, body_px, dt_s)
        known = tracks.state[track] != TENTATIVE
        if is_sliver(box, size_px, borders):
            tracks.state[track] = LOST if known else TENTATIVE
        elif known or now_ns - tracks.born_ns[track] >= confirm_ns:
            tracks.state[track] = CONFIRMED
        tracks.seen_ns[track] = tracks.unseen_from_ns[track] = now_ns
        tracks.score[track] = score
        tracks.size_px[track] = max(position[2], position[3], MIN_SIDE_PX)


@compiled
def _surprise(beliefs: Float64Array, body: int, measured_px: Float64Array, jitter_px: Float64Array) -> float:
    """How far from its expected place a body (its centre) is seen: the mean square in expected standard deviations.

    Source: the normalised innovation squared of Y. Bar-Shalom, X. Li, T. Kirubarajan, "Estimation with applications to
    tracking and navigation", 2001.
    """
    total = 0.0
    for axis in range(2):
        apart_px = measured_px[axis] - beliefs[POSITION, body, axis]
        total += apart_px**2 / (beliefs[VAR_POSITION, body, axis] + jitter_px[axis] ** 2) / 2.0
    return min(total, MOST_SURPRISE)


@compiled
def _remember_colours(
    kept: Float64Array, taken: Indices, colours: Float64Array, scores: Float64Array, seen_ns: Int64Array, now_ns: int
) -> None:
    if not len(taken):
        return
    # Since anybody was seen: to be unseen for longer is no reason to forget, as the memory is of what was seen.
    elapsed_s = min((now_ns - seen_ns.max()) / 1e9, MOST_ELAPSED_S)
    share = 1.0 - math.exp(-elapsed_s / model.APPEARANCE_MEMORY_S)
    for track in range(len(taken)):
        if taken[track] >= 0 and scores[taken[track]] >= model.APPEARANCE_SCORE:
            remember(kept[track], colours[taken[track]], share)


def miss(tracks: Tracks, taken: Indices, size_px: tuple[int, int], now_ns: int, settings: TrackerSettings) -> BoolArray:
    """Decide, in place, which of the confirmed tracks without a detection are lost; the mask (T,) of those.

    A missed detection is no loss, nor is somebody who is hidden by those who were seen, as long as it is clear where:
    both remain confirmed, at their predicted place.
    """
    times_ns = (now_ns, round(settings.missed_s * 1e9))
    return _miss(_columns(tracks), taken, times_ns, size_px[0], model.BORDERS)


@compiled
def _miss(
    columns: Columns, taken: Indices, times_ns: tuple[int, int], width_px: int, borders: model.Borders
) -> BoolArray:
    now_ns, missed_ns = times_ns
    lost = np.zeros(len(taken), np.bool_)
    for track in range(len(taken)):
        if taken[track] >= 0 or columns.state[track] != CONFIRMED:
            continue
        position, body_px = columns.beliefs[POSITION, track], columns.size_px[track]
        half = max(position[2], MIN_SIDE_PX) / 2.0
        border_px = borders.near * body_px
        there = position[0] - half > border_px and position[0] + half < width_px - border_px
        if there and now_ns - columns.unseen_from_ns[track] > missed_ns:
            sure = columns.beliefs[VAR_POSITION, track, 0] < (borders.hidden_sure * body_px) ** 2
            there = sure and _covered(columns.beliefs[POSITION], track, taken) >= borders.hidden_share
        if not there:
            columns.state[track] = LOST
            lost[track] = True
    return lost


@compiled
def _covered(positions: Float64Array, track: int, taken: Indices) -> float:
    """The greatest part of the box of `track` that lies inside the box of one track that was seen."""
    greatest = 0.0
    for other in range(len(taken)):
        if taken[other] < 0:
            continue
        shared = 1.0
        for axis in range(2):
            half_a, half_b = positions[track, axis + 2] / 2.0, positions[other, axis + 2] / 2.0
            low = max(positions[track, axis] - half_a, positions[other, axis] - half_b)
            high = min(positions[track, axis] + half_a, positions[other, axis] + half_b)
            shared *= max(high - low, 0.0)
        area = max(positions[track, 2], MIN_SIDE_PX) * max(positions[track, 3], MIN_SIDE_PX)
        greatest = max(greatest, shared / area)
    return greatest
