"""When identities begin, are believed, are lost and end: all by elapsed time, never by counting frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.settings import TrackerSettings
from tracking import kalman
from tracking.boxes import body_size, iou
from tracking.detections import Detections
from tracking.motion import MOTION, jitter_px
from tracking.track import CONFIRMED, LOST, TENTATIVE, Tracks, joint_offsets

Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

DOUBLE_IOU = 0.6
"""A detection that overlaps a tracked one this much is that person's double, not a new person."""

CERTAIN_SCORE = 0.75
"""A person detected this surely is believed at first sight."""


def outlived(tracks: Tracks, now_ns: int, settings: TrackerSettings) -> Bools:
    """Which tracks (T,) have been unseen for longer than a lost one may live, and end with this frame."""
    return np.asarray(now_ns - tracks.seen_ns > settings.lost_s * 1e9)


def seen(tracks: Tracks, taken: Indices, detections: Detections, now_ns: int, settings: TrackerSettings) -> Tracks:
    """The tracks after this frame's detections: corrected, confirmed or lost. `taken` (T,) as from `associate`."""
    tracks = tracks.updated((taken < 0) & (tracks.state == CONFIRMED), state=LOST)
    rows = taken >= 0
    if not rows.any():
        return tracks
    chosen = taken[rows]
    before = tracks.select(rows)
    beliefs = kalman.correct(before.beliefs, detections.centred[chosen], jitter_px(before.size_px))
    believed = (before.state != TENTATIVE) | (now_ns - before.born_ns >= settings.confirm_s * 1e9)
    columns: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64] | int] = {
        "state": np.where(believed, CONFIRMED, TENTATIVE),
        "seen_ns": now_ns,
        "score": detections.scores[chosen],
        "size_px": body_size(beliefs.position),
        "position": beliefs.position,
        "velocity": beliefs.velocity,
        "var_position": beliefs.var_position,
        "covariance": beliefs.covariance,
        "var_velocity": beliefs.var_velocity,
    }
    if detections.joints is not None:
        columns["joints"] = joint_offsets(detections.joints[chosen], detections.centred[chosen])
    return tracks.updated(rows, **columns)


def newcomers(taken: Indices, detections: Detections, settings: TrackerSettings) -> Indices:
    """Which detections (B,) are people nobody has seen yet: unclaimed, sure, and no double of a claimed one."""
    free = np.ones(len(detections), np.bool_)
    claimed = taken[taken >= 0]
    free[claimed] = False
    born = np.flatnonzero(free & (detections.scores >= settings.birth_score))
    if not len(born) or not len(claimed):
        return born
    overlap = iou(detections.corners[born], detections.corners[claimed]).max(axis=1)
    return np.asarray(born[overlap < DOUBLE_IOU])


def begun(born: Indices, detections: Detections, first_id: int, now_ns: int, settings: TrackerSettings) -> Tracks:
    """New tracks (B,) of the detections `born`, numbered from `first_id`."""
    count = len(born)
    centred = detections.centred[born]
    size = body_size(centred)
    beliefs = kalman.begin(centred, size, MOTION)
    scores = detections.scores[born]
    believed = (scores >= CERTAIN_SCORE) | (settings.confirm_s == 0)
    now = np.full(count, now_ns, np.int64)
    joints = np.zeros((count, 0, 3))
    if detections.joints is not None:
        joints = joint_offsets(detections.joints[born], centred)
    return Tracks(
        ids=np.arange(first_id, first_id + count, dtype=np.int64),
        state=np.where(believed, CONFIRMED, TENTATIVE).astype(np.int64),
        born_ns=now,
        seen_ns=now,
        score=scores,
        size_px=size,
        position=beliefs.position,
        velocity=beliefs.velocity,
        var_position=beliefs.var_position,
        covariance=beliefs.covariance,
        var_velocity=beliefs.var_velocity,
        joints=joints,
    )
