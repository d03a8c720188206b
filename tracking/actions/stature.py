"""How tall a body is in the picture, from its segments in any posture, and whether it is upright.

Segments relative to stature are those of `body_model.skeleton`. A segment that points towards the camera looks short,
never long, so that of all segments the one that makes the body tallest counts.
"""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array
from tracking.body_model.skeleton import ANKLE, HIP, KNEE, SHANK, SHOULDER, THIGH, TRUNK
from tracking.compiled import compiled

SHOULDER_WIDTH = 0.3
LEG = THIGH + SHANK

RECENT_S = 1.0
"""Lengths are medians over this last part of the window, against the errors of single frames."""

RISES_S, FALLS_S, HOLDS_S = 0.7, 1.5, 30.0
"""How fast the remembered stature follows longer segments; shorter ones of an upright body, which went away from the
camera; and shorter ones of another body, which may only point towards the camera."""

STRAIGHT_LEG, STRAIGHT_TRUNK = 0.7, 0.75
"""A body is upright if its hips are this high above its feet, relative to straight legs, and its trunk points up: the
cosine of its angle is at least this."""


@compiled
def between(joints: Float64Array, left: int) -> tuple[float, float]:
    """The middle of a left joint of (17, 3) rows of x, y, seen and the right one, or the one that was seen, or NaN."""
    right = left + 1
    first, second = joints[left, 2] > 0.0, joints[right, 2] > 0.0
    if first and second:
        return (joints[left, 0] + joints[right, 0]) / 2.0, (joints[left, 1] + joints[right, 1]) / 2.0
    if first:
        return joints[left, 0], joints[left, 1]
    if second:
        return joints[right, 0], joints[right, 1]
    return np.nan, np.nan


@compiled
def distance(joints: Float64Array, one: int, other: int) -> float:
    """How far two joints of (17, 3) rows of x, y, seen are apart; NaN if not both were seen."""
    if joints[one, 2] > 0.0 and joints[other, 2] > 0.0:
        return float(np.hypot(joints[one, 0] - joints[other, 0], joints[one, 1] - joints[other, 1]))
    return np.nan


@compiled
def seen_stature(ages_s: Float64Array, poses: Float64Array) -> float:
    """The stature in pixels that the moments (S, 17, 3) of the last second show; 0 without any segment."""
    lengths = np.empty((len(poses), 6))
    count = 0
    for moment in range(len(poses)):
        if ages_s[moment] > RECENT_S:
            continue
        joints = poses[moment]
        shoulders, hips = between(joints, SHOULDER), between(joints, HIP)
        lengths[count, 0] = np.hypot(shoulders[0] - hips[0], shoulders[1] - hips[1]) / TRUNK
        lengths[count, 1] = distance(joints, SHOULDER, SHOULDER + 1) / SHOULDER_WIDTH
        for side in range(2):
            lengths[count, 2 + side] = distance(joints, HIP + side, KNEE + side) / THIGH
            lengths[count, 4 + side] = distance(joints, KNEE + side, ANKLE + side) / SHANK
        count += 1
    tallest = 0.0
    for segment in range(6):
        known = lengths[:count, segment]
        known = known[~np.isnan(known)]
        if len(known) > 0:
            tallest = max(tallest, float(np.median(known)))
    return tallest


@compiled
def renewed_stature(before: float, seen: float, upright: bool, dt_s: float) -> float:
    """The remembered stature after `dt_s` more seconds; 0 stands for an unknown one."""
    if seen <= 0.0 or before <= 0.0:
        return max(seen, before)
    slow_s = RISES_S if seen > before else (FALLS_S if upright else HOLDS_S)
    return before + (seen - before) * (1.0 - float(np.exp(-dt_s / slow_s)))


@compiled
def is_upright(posture: Float64Array, stature: float) -> bool:
    """Whether a posture (17, 3) of x, y (upwards), seen is upright; legs that were not seen count as straight."""
    shoulders, hips = between(posture, SHOULDER), between(posture, HIP)
    across, up = shoulders[0] - hips[0], shoulders[1] - hips[1]
    if not up >= max(STRAIGHT_TRUNK * np.hypot(across, up), 0.4 * TRUNK * stature):
        return False
    feet = between(posture, ANKLE)
    return not hips[1] - feet[1] < STRAIGHT_LEG * LEG * stature
