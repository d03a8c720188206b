"""When identities begin, are believed, are lost and end: all by elapsed time, never by counting frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.settings import TrackerSettings
from tracking import kalman
from tracking.boxes import body_size, iou, to_corners
from tracking.detections import Detections
from tracking.motion import MOTION, jitter_px
from tracking.track import CONFIRMED, LOST, TENTATIVE, Tracks, joint_offsets

Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

DOUBLE_IOU = 0.5
"""A detection that overlaps a tracked one this much is that person's double, not a new person."""

CERTAIN_SCORE = 0.7
"""A person detected this surely is believed at first sight."""


LEAVING_S = 0.3
"""How long a track that was last seen walking out of the picture is waited for; who enters there is somebody else."""

BORDER = 0.05
"""How near to the border of the picture, in body sizes, a box reaches it."""

LEAVING_SPEED = 0.1
"""Body sizes per second towards the border from which on somebody at the border is leaving."""


def outlived(tracks: Tracks, size_px: tuple[int, int], now_ns: int, settings: TrackerSettings) -> Bools:
    """Which tracks (T,) have been unseen for longer than a lost one may live, and end with this frame."""
    patience_s = np.where(leaving(tracks, size_px), min(LEAVING_S, settings.lost_s), settings.lost_s)
    return np.asarray(now_ns - tracks.seen_ns > patience_s * 1e9)


def leaving(tracks: Tracks, size_px: tuple[int, int]) -> Bools:
    """Which tracks (T,), as predicted now, reach a border of the picture and move towards it."""
    corners, speed = to_corners(tracks.position), tracks.velocity[:, :2] / tracks.size_px[:, None]
    before = (corners[:, :2] <= BORDER * tracks.size_px[:, None]) & (speed < -LEAVING_SPEED)
    beyond = (corners[:, 2:] >= np.array(size_px) - BORDER * tracks.size_px[:, None]) & (speed > LEAVING_SPEED)
    return np.asarray((before | beyond).any(axis=1))


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
