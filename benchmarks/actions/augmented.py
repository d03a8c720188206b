"""The same tracks as other cameras and networks would show them: other proportions, hidden parts, errors of joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from posebus.arrays import Float32Array, Float64Array
from posebus.messages import TrackFrame
from tracking.body_model.skeleton import ANKLE, ELBOW, FACE, HIP, JOINTS, KNEE, SHOULDER, WRIST

STRETCHED = 0.12
"""Deviation of the logarithm of width against height: pixels that are not square, and lenses at the edge."""

PROPORTION = 0.1
"""Deviation of the logarithm of a limb's length: people differ, and networks place joints differently."""

MISPLACED = 0.012
"""Deviation of a joint that is misplaced for a whole scene, in heights of the body."""

HIDDEN_CHANCE, FOLLOWED_CHANCE = 0.35, 0.3

BOTH = (0, 1)
HIDDEN = (
    (1.0, [ANKLE + side for side in BOTH]),
    (1.0, [joint + side for joint in (KNEE, ANKLE) for side in BOTH]),
    (0.5, [joint + side for joint in (HIP, KNEE, ANKLE) for side in BOTH]),
    (1.0, [KNEE, ANKLE]),
    (1.0, [KNEE + 1, ANKLE + 1]),
    (1.0, [WRIST + side for side in BOTH]),
    (1.0, [joint + side for joint in (ELBOW, WRIST) for side in BOTH]),
    (1.0, list(range(FACE))),
)
"""Joints that furniture, other people or the picture's border hide together, and how often relative to each other."""

BONES = {
    "upper_arm": (SHOULDER, ELBOW),
    "forearm": (ELBOW, WRIST),
    "thigh": (HIP, KNEE),
    "shank": (KNEE, ANKLE),
}


def augmented(frames: Sequence[TrackFrame], rng: np.random.Generator, *, moves: bool) -> list[TrackFrame]:
    """Frames with at most one track each, changed as by `augmented_poses`, in one way for all of them."""
    rows = [row for row, frame in enumerate(frames) if frame.tracks and frame.tracks[0].keypoints_px is not None]
    out = list(frames)
    if rows:
        poses_px = augmented_poses(np.array([frames[row].tracks[0].keypoints_px for row in rows]), rng, moves=moves)
        for row, pose_px in zip(rows, poses_px, strict=True):
            out[row] = replace(frames[row], tracks=(replace(frames[row].tracks[0], keypoints_px=pose_px),))
    return out


def augmented_poses(poses_px: Float32Array, rng: np.random.Generator, *, moves: bool = False) -> Float32Array:
    """Poses (T, 17, 3) of one person, changed in one way for all of them; moves: the person walks or runs.

    A camera may follow a person who moves, so that it stays where it is in the picture.
    """
    poses = np.array(poses_px, np.float64)
    seen = poses[..., 2] > 0.0
    low = np.where(seen, poses[..., 1], np.inf).min(axis=1)
    high = np.where(seen, poses[..., 1], -np.inf).max(axis=1)
    height_px = float(np.median(np.maximum(high - low, 0.0)))
    poses[..., :2] = _proportioned(poses[..., :2], seen, rng)
    poses[..., 0] *= np.exp(rng.normal(0.0, STRETCHED))
    poses[..., :2] += rng.normal(0.0, MISPLACED * height_px, (JOINTS, 2))
    if rng.random() < FOLLOWED_CHANCE and moves:
        poses[..., 0] -= poses[..., HIP : HIP + 2, 0].mean(axis=1, keepdims=True)
    chances = np.array([chance for chance, _ in HIDDEN])
    hidden = HIDDEN[rng.choice(len(HIDDEN), p=chances / chances.sum())][1]
    if rng.random() < HIDDEN_CHANCE:
        poses[:, hidden, 2] = 0.0
    return poses.astype(np.float32)


def _proportioned(points: Float64Array, seen: np.ndarray, rng: np.random.Generator) -> Float64Array:
    """Points (T, 17, 2) with other lengths of limbs, on both sides alike; directions stay.

    What hangs on joints that were not seen (T, 17) stays where it is.
    """
    times = {name: np.exp(rng.normal(0.0, PROPORTION)) for name in ("trunk", *BONES, "hips", "shoulders", "head")}
    hips, shoulders = (points[:, left : left + 2].mean(axis=1, keepdims=True) for left in (HIP, SHOULDER))
    neck = hips + times["trunk"] * (shoulders - hips)
    out = points.copy()
    out[:, HIP : HIP + 2] = hips + times["hips"] * (points[:, HIP : HIP + 2] - hips)
    out[:, SHOULDER : SHOULDER + 2] = neck + times["shoulders"] * (points[:, SHOULDER : SHOULDER + 2] - shoulders)
    out[:, :FACE] = neck + times["head"] * (points[:, :FACE] - shoulders)
    whole = seen[:, [HIP, HIP + 1, SHOULDER, SHOULDER + 1]].all(axis=1)
    out[~whole] = points[~whole]
    for name, (near, far) in BONES.items():
        for joint, end in ((near, far), (near + 1, far + 1)):
            moved = out[:, joint] + times[name] * (points[:, end] - points[:, joint])
            out[:, end] = np.where((seen[:, joint] & seen[:, end])[:, None], moved, points[:, end])
    return out
