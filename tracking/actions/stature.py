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
def median(values: Float64Array) -> float:
    """The median of values, NaN if there are none; they are put in order in place.

    numpy's own takes ten times as long for the few moments of a window.
    """
    count = len(values)
    for place in range(1, count):
        value, before = values[place], place - 1
        while before >= 0 and values[before] > value:
            values[before + 1] = values[before]
            before -= 1
        values[before + 1] = value
    if count == 0:
        return np.nan
    return float((values[(count - 1) // 2] + values[count // 2]) / 2.0)


@compiled
def _length(joints: Float64Array, segment: int) -> float:
    """The stature that one of six segments shows: trunk, shoulders, thighs, shanks; NaN if it was not seen."""
    if segment == 0:
        shoulders, hips = between(joints, SHOULDER), between(joints, HIP)
        return float(np.hypot(shoulders[0] - hips[0], shoulders[1] - hips[1]) / TRUNK)
    if segment == 1:
        return distance(joints, SHOULDER, SHOULDER + 1) / SHOULDER_WIDTH
    if segment < 4:
        return distance(joints, HIP + segment - 2, KNEE + segment - 2) / THIGH
    return distance(joints, KNEE + segment - 4, ANKLE + segment - 4) / SHANK


@compiled
def seen_stature(ages_s: Float64Array, poses: Float64Array) -> float:
    """The stature in pixels that the moments (S, 17, 3) of the last second show; 0 without any segment."""
    lengths = np.empty(len(poses))
    tallest = 0.0
    for segment in range(6):
        count = 0
        for moment in range(len(poses)):
            if ages_s[moment] <= RECENT_S:
                length = _length(poses[moment], segment)
                if not np.isnan(length):
                    lengths[count] = length
                    count += 1
        if count > 0:
            tallest = max(tallest, median(lengths[:count]))
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
