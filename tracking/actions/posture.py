"""The posture of a body: its joints of the last moments together, and the numbers that describe it."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array
from tracking.actions.stature import LEG, between, distance
from tracking.body_model.skeleton import ANKLE, FACE, HIP, JOINTS, KNEE, SHANK, SHOULDER, THIGH, TRUNK, WRIST
from tracking.compiled import compiled

NOW_S = 0.3
"""The posture is the mean over this last part of the window, against the errors of single frames."""

POSTURE_NAMES = (
    *("trunk_across", "trunk_up", "trunk_length", "shoulder_width"),
    *("thigh_down_max", "thigh_down_min", "thigh_across_max", "thigh_across_min"),
    *("shank_down_max", "shank_down_min", "shank_across_max", "shank_across_min"),
    *("knee_max", "knee_min", "hips_over_feet", "shoulders_over_feet", "head_over_hips", "head_before_hips"),
    *("wrist_up_max", "wrist_up_min", "wrist_across_max", "wrist_before"),
    *("width", "height", "flatness", "feet_apart"),
    *("knees_apart", "beside_feet", "wrists_over_feet"),
    *("has_trunk", "has_thigh", "has_shank", "has_wrist", "has_head"),
)
"""Lengths in statures, or relative to the segment. across: to either side; before: on the side of the knees; knee: the
cosine of its angle, -1 for a straight leg; max and min: of both sides; beside_feet: how far the centre is beside the
feet, over which a body balances that nothing else carries; has: whether the part was seen, 0 or 1."""


@compiled
def centre_of(joints: Float64Array) -> tuple[float, float]:
    """The middle of shoulders and hips, or that of these two which was seen, else NaN."""
    shoulders, hips = between(joints, SHOULDER), between(joints, HIP)
    if np.isnan(shoulders[0]):
        return hips
    if np.isnan(hips[0]):
        return shoulders
    return (shoulders[0] + hips[0]) / 2.0, (shoulders[1] + hips[1]) / 2.0


@compiled
def posture_of(ages_s: Float64Array, poses: Float64Array) -> Float64Array:
    """The mean joints (17, 3) around the centre, x, y (upwards), seen, over the last part of the window (S, 17, 3)."""
    total = np.zeros((JOINTS, 3))
    for moment in range(len(poses)):
        if ages_s[moment] > NOW_S and moment < len(poses) - 1:
            continue
        centre = centre_of(poses[moment])
        if np.isnan(centre[0]):
            continue
        for joint in range(JOINTS):
            if poses[moment, joint, 2] > 0.0:
                total[joint, 0] += poses[moment, joint, 0] - centre[0]
                total[joint, 1] += centre[1] - poses[moment, joint, 1]
                total[joint, 2] += 1.0
    for joint in range(JOINTS):
        if total[joint, 2] > 0.0:
            total[joint, :2] /= total[joint, 2]
            total[joint, 2] = 1.0
    return total


@compiled
def _limb(posture: Float64Array, near: int, far: int, length: float) -> tuple[float, float]:
    """How far the far end of a limb is below, and beside, its near end, relative to its length; NaN if not seen."""
    if posture[near, 2] == 0.0 or posture[far, 2] == 0.0:
        return np.nan, np.nan
    return (
        (posture[near, 1] - posture[far, 1]) / length,
        abs(posture[far, 0] - posture[near, 0]) / length,
    )


@compiled
def knee_cosine(posture: Float64Array, side: int) -> float:
    """The cosine of the angle between thigh and shank, -1 for a straight leg; NaN if not seen."""
    hip, knee, ankle = HIP + side, KNEE + side, ANKLE + side
    if posture[hip, 2] == 0.0 or posture[knee, 2] == 0.0 or posture[ankle, 2] == 0.0:
        return np.nan
    up = posture[hip, :2] - posture[knee, :2]
    down = posture[ankle, :2] - posture[knee, :2]
    lengths = np.hypot(up[0], up[1]) * np.hypot(down[0], down[1])
    return float((up[0] * down[0] + up[1] * down[1]) / max(lengths, 1e-9))


@compiled
def _set_pair(out: Float64Array, place: int, left: float, right: float) -> None:
    out[place] = np.fmax(left, right)
    out[place + 1] = np.fmin(left, right)


@compiled
def describe_posture(posture: Float64Array, stature: float, out: Float64Array) -> None:
    """Write the values of POSTURE_NAMES into `out`, NaN for what was not seen."""
    shoulders, hips = between(posture, SHOULDER), between(posture, HIP)
    across, up = shoulders[0] - hips[0], shoulders[1] - hips[1]
    length = np.hypot(across, up)
    out[0], out[1], out[2] = abs(across) / max(length, 1e-9), up / max(length, 1e-9), length / (TRUNK * stature)
    left, right = posture[SHOULDER], posture[SHOULDER + 1]
    out[3] = abs(left[0] - right[0]) / stature if left[2] * right[2] > 0.0 else np.nan
    thighs = _limb(posture, HIP, KNEE, THIGH * stature), _limb(posture, HIP + 1, KNEE + 1, THIGH * stature)
    shanks = _limb(posture, KNEE, ANKLE, SHANK * stature), _limb(posture, KNEE + 1, ANKLE + 1, SHANK * stature)
    for part in range(2):
        _set_pair(out, 4 + 2 * part, thighs[0][part], thighs[1][part])
        _set_pair(out, 8 + 2 * part, shanks[0][part], shanks[1][part])
    _set_pair(out, 12, knee_cosine(posture, 0), knee_cosine(posture, 1))
    left, right = posture[ANKLE], posture[ANKLE + 1]
    lowest = np.fmin(left[1] if left[2] > 0.0 else np.nan, right[1] if right[2] > 0.0 else np.nan)
    out[14] = (hips[1] - lowest) / (LEG * stature)
    out[15] = (shoulders[1] - lowest) / ((LEG + TRUNK) * stature)
    knees = between(posture, KNEE)
    ahead = np.sign(knees[0] - hips[0])
    _describe_head_and_arms(posture, hips, ahead, stature, out)
    _describe_extent(posture, stature, out)
    out[25] = distance(posture, ANKLE, ANKLE + 1) / stature
    out[26] = distance(posture, KNEE, KNEE + 1) / stature
    out[27] = abs(between(posture, ANKLE)[0]) / stature  # the centre is at 0
    out[28] = (out[19] * stature + hips[1] - lowest) / stature
    out[29], out[30], out[31] = not np.isnan(length), not np.isnan(out[4]), not np.isnan(out[8])
    out[32], out[33] = not np.isnan(out[18]), not np.isnan(out[16])


@compiled
def _describe_head_and_arms(
    posture: Float64Array, hips: tuple[float, float], ahead: float, stature: float, out: Float64Array
) -> None:
    head_x, head_y, seen = 0.0, 0.0, 0.0
    for joint in range(FACE):
        head_x += posture[joint, 0] * posture[joint, 2]
        head_y += posture[joint, 1] * posture[joint, 2]
        seen += posture[joint, 2]
    out[16] = (head_y / seen - hips[1]) / stature if seen > 0.0 else np.nan
    out[17] = ahead * (head_x / seen - hips[0]) / stature if seen > 0.0 else np.nan
    up, beside = np.full(2, np.nan), np.full(2, np.nan)
    for side in range(2):
        if posture[WRIST + side, 2] > 0.0:
            up[side] = (posture[WRIST + side, 1] - hips[1]) / stature
            beside[side] = (posture[WRIST + side, 0] - hips[0]) / stature
    _set_pair(out, 18, up[0], up[1])
    out[20] = np.fmax(abs(beside[0]), abs(beside[1]))
    both = (beside[0] + beside[1]) / 2.0
    out[21] = ahead * (both if not np.isnan(both) else np.fmax(beside[0], beside[1]))


@compiled
def _describe_extent(posture: Float64Array, stature: float, out: Float64Array) -> None:
    left, right, bottom, top = np.inf, -np.inf, np.inf, -np.inf
    for joint in range(JOINTS):
        if posture[joint, 2] > 0.0:
            left, right = min(left, posture[joint, 0]), max(right, posture[joint, 0])
            bottom, top = min(bottom, posture[joint, 1]), max(top, posture[joint, 1])
    width, height = max(right - left, 0.0), max(top - bottom, 0.0)
    out[22], out[23] = width / stature, height / stature
    out[24] = width / max(width + height, 1e-9)
