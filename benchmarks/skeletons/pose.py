"""A body of joint angles: from angles to the 17 COCO joints in three dimensions, by forward kinematics.

All lengths are relative to body height. The frame of the body has its origin between the hips: x forward, y to the
left, z up. A body always stands on its lowest point: there are no other contacts to keep track of.
"""

from __future__ import annotations

import numpy as np

from benchmarks.scenes.bodies import (
    ANKLE,
    EAR_HALF,
    EYE_HALF,
    FOREARM,
    HIP_HALF,
    NECK,
    SHANK,
    SHOULDER_HALF,
    THIGH,
    TRUNK,
    UPPER_ARM,
)
from posebus.arrays import Float64Array

ANGLES = (
    *("pitch", "roll", "trunk", "nod", "thigh_l", "thigh_r", "knee_l", "knee_r", "leg_out_l", "leg_out_r"),
    *("arm_l", "arm_r", "arm_out_l", "arm_out_r", "elbow_l", "elbow_r"),
)
"""Radians. pitch: the whole body forward about the left axis, roll: to the right about the forward axis; trunk: the
spine forward against the pelvis; nod: the head forward against the trunk; thigh: forward from straight down; knee:
flexion; leg_out, arm_out: away from the body; arm: forward from straight down in the frame of the pelvis, pi is
overhead; elbow: flexion."""

COLUMN = {name: column for column, name in enumerate(ANGLES)}

RADIUS = np.array([0.06, *(0.05,) * 4, 0.06, 0.06, 0.03, 0.03, 0.025, 0.025, 0.075, 0.075, 0.04, 0.04, ANKLE, ANKLE])
"""Of the flesh around each joint, so that a lying body lies on it and not on its bones."""


def posture(**angles: float) -> Float64Array:
    """Angles (16,) in the order of ANGLES. A name without side, such as `knee`, sets both; the others are relaxed."""
    values = dict.fromkeys(ANGLES, 0.0)
    values |= {"elbow_l": 0.25, "elbow_r": 0.25, "arm_out_l": 0.08, "arm_out_r": 0.08}
    for name, angle in angles.items():
        sides = [name] if name in values else [f"{name}_l", f"{name}_r"]
        values |= dict.fromkeys(sides, angle)
    if len(values) != len(ANGLES):
        raise KeyError(f"an angle of {sorted(angles)} does not exist; there are {', '.join(ANGLES)}")
    return np.array([values[name] for name in ANGLES])


def joints(angles: Float64Array) -> Float64Array:
    """The joints (T, 17, 3) of bodies with the given angles (T, 16), above the ground on which they stand or lie."""
    at = {name: angles[:, column] for name, column in COLUMN.items()}
    out = np.zeros((len(angles), 17, 3))
    nape = TRUNK * np.stack([np.sin(at["trunk"]), np.zeros(len(angles)), np.cos(at["trunk"])], axis=-1)
    _add_head(out, nape, at["trunk"] + at["nod"])
    for side, sign, suffix in ((0, 1.0, "_l"), (1, -1.0, "_r")):
        out[:, 5 + side] = nape + np.array([0.0, sign * SHOULDER_HALF, 0.0])
        arm, away = at["arm" + suffix], at["arm_out" + suffix]
        out[:, 7 + side] = out[:, 5 + side] + UPPER_ARM * _along(arm, away, sign)
        out[:, 9 + side] = out[:, 7 + side] + FOREARM * _along(arm + at["elbow" + suffix], away, sign)
        out[:, 11 + side, 1] = sign * HIP_HALF
        thigh, away = at["thigh" + suffix], at["leg_out" + suffix]
        out[:, 13 + side] = out[:, 11 + side] + THIGH * _along(thigh, away, sign)
        out[:, 15 + side] = out[:, 13 + side] + SHANK * _along(thigh - at["knee" + suffix], away, sign)
    turned = _turned(out, at["pitch"], at["roll"])
    turned[..., 2] -= (turned[..., 2] - RADIUS).min(axis=1)[:, None]
    return turned


def _along(forward: Float64Array, outward: Float64Array, sign: float) -> Float64Array:
    """Unit vectors (T, 3) of limbs that hang straight down at the angles 0."""
    return np.stack(
        [np.sin(forward) * np.cos(outward), sign * np.sin(outward), -np.cos(forward) * np.cos(outward)], axis=-1
    )


def _add_head(out: Float64Array, nape: Float64Array, nod: Float64Array) -> None:
    cos, sin = np.cos(nod), np.sin(nod)
    for joint, ahead, left, above in (
        *((0, 0.055, 0.0, -0.005), (1, 0.045, EYE_HALF, 0.015), (2, 0.045, -EYE_HALF, 0.015)),
        *((3, 0.0, EAR_HALF, 0.005), (4, 0.0, -EAR_HALF, 0.005)),
    ):
        out[:, joint, 0] = nape[:, 0] + (NECK + above) * sin + ahead * cos
        out[:, joint, 1] = left
        out[:, joint, 2] = nape[:, 2] + (NECK + above) * cos - ahead * sin


def _turned(points: Float64Array, pitch: Float64Array, roll: Float64Array) -> Float64Array:
    """Points (T, J, 3) turned by `roll` about the forward axis, then by `pitch` about the left axis."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    cos, sin = np.cos(roll)[:, None], np.sin(roll)[:, None]
    y, z = y * cos - z * sin, y * sin + z * cos
    cos, sin = np.cos(pitch)[:, None], np.sin(pitch)[:, None]
    return np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1)
