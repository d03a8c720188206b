"""The motion of a body over a window, relative to its stature: where it goes, and how its limbs swing."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array
from tracking.actions.posture import centre_of, knee_cosine
from tracking.actions.stature import LEG, between, median
from tracking.body_model.skeleton import ANKLE, HIP, KNEE, WRIST
from tracking.compiled import compiled

SPAN_S = 0.25
"""Velocities are taken over at least this time, so that errors of joints do not look like motion."""

PACE_S = 1.0
"""The velocity of the whole body is that over this last part of the window."""

MOTION_NAMES = (
    *("across_per_s", "up_per_s", "feet_sway", "feet_lift", "feet_per_s", "knee_sway", "wrist_sway", "bounce"),
    *("down_peak", "past", "speed", "hips_range", "knee_range"),
)
"""per_s: statures per second. sway: deviation of one side against the other, across and up for the feet. bounce: of the
centre up and down, around its way. down_peak: the fastest way down within the window. past: how much of two seconds the
window has. speed: the median over short times, which turning round does not change. range: how much the height of the
hips above the feet, and the cosine of the knees, change within the window, but for the largest and smallest value."""


@compiled
def _deviation(values: Float64Array) -> float:
    """The standard deviation of the values that are not NaN; NaN for fewer than three."""
    count, total = 0, 0.0
    for value in values:
        if not np.isnan(value):
            count += 1
            total += value
    if count < 3:
        return np.nan
    mean, squares = total / count, 0.0
    for value in values:
        if not np.isnan(value):
            squares += (value - mean) ** 2
    return float(np.sqrt(squares / count))


@compiled
def _median_of_known(values: Float64Array, least: int) -> float:
    """The median of the values that are not NaN; NaN for fewer than `least`. The order of `values` is lost."""
    count = 0
    for value in values:
        if not np.isnan(value):
            values[count] = value
            count += 1
    return median(values[:count]) if count >= least else np.nan


@compiled
def _range(values: Float64Array) -> float:
    """Between the second largest and the second smallest value that is not NaN, against single errors; NaN for fewer
    than four. The order of `values` is lost."""
    count = 0
    for value in values:
        if not np.isnan(value):
            values[count] = value
            count += 1
    if count < 4:
        return np.nan
    median(values[:count])
    return float(values[count - 2] - values[1])


@compiled
def _difference(poses: Float64Array, left: int, axis: int) -> Float64Array:
    """Left joint minus the right one behind it, at each moment; NaN where one was not seen."""
    out = np.full(len(poses), np.nan)
    for moment in range(len(poses)):
        if poses[moment, left, 2] > 0.0 and poses[moment, left + 1, 2] > 0.0:
            out[moment] = poses[moment, left, axis] - poses[moment, left + 1, axis]
    return out


@compiled
def _pace(ages_s: Float64Array, values: Float64Array) -> float:
    """The slope of a straight line through the values of the last second (least squares), per second."""
    count, mean_t, mean_v = 0, 0.0, 0.0
    for moment in range(len(values)):
        if ages_s[moment] <= PACE_S and not np.isnan(values[moment]):
            count += 1
            mean_t -= ages_s[moment]
            mean_v += values[moment]
    if count < 2:
        return np.nan
    mean_t, mean_v = mean_t / count, mean_v / count
    over, under = 0.0, 0.0
    for moment in range(len(values)):
        if ages_s[moment] <= PACE_S and not np.isnan(values[moment]):
            over += (-ages_s[moment] - mean_t) * (values[moment] - mean_v)
            under += (-ages_s[moment] - mean_t) ** 2
    return over / under if under > SPAN_S * SPAN_S / 8 else np.nan


@compiled
def _fastest(ages_s: Float64Array, values: Float64Array) -> float:
    """The greatest growth per second over at least SPAN_S; 0 if there is none."""
    peak = 0.0
    for last in range(1, len(values)):
        for first in range(last - 1, -1, -1):
            elapsed_s = ages_s[first] - ages_s[last]
            if elapsed_s >= SPAN_S:
                if not np.isnan(values[last]) and not np.isnan(values[first]):
                    peak = max(peak, (values[last] - values[first]) / elapsed_s)
                break
    return peak


@compiled
def _speed(ages_s: Float64Array, across: Float64Array, down: Float64Array) -> float:
    """The median of the speeds per second over times of SPAN_S; NaN if there is none."""
    speeds = np.full(len(across), np.nan)
    for last in range(1, len(across)):
        for first in range(last - 1, -1, -1):
            elapsed_s = ages_s[first] - ages_s[last]
            if elapsed_s >= SPAN_S:
                speeds[last] = np.hypot(across[last] - across[first], down[last] - down[first]) / elapsed_s
                break
    return _median_of_known(speeds, 1)


@compiled
def _bent(joints: Float64Array) -> tuple[float, float]:
    """How far the hips are above the feet in pixels, and the cosine of the knees, -1 for straight legs."""
    left, right = knee_cosine(joints, 0), knee_cosine(joints, 1)
    both = (left + right) / 2.0
    return between(joints, ANKLE)[1] - between(joints, HIP)[1], both if not np.isnan(both) else np.fmax(left, right)


@compiled
def describe_motion(ages_s: Float64Array, poses: Float64Array, stature: float, out: Float64Array) -> None:
    """Write the values of MOTION_NAMES of a window (S,), (S, 17, 3) into `out`, NaN for what is not known."""
    moments = len(poses)
    centre = np.empty((2, moments))
    for moment in range(moments):
        centre[0, moment], centre[1, moment] = centre_of(poses[moment])
    centre /= stature
    across, down = _pace(ages_s, centre[0]), _pace(ages_s, centre[1])
    out[0], out[1] = abs(across), -down
    apart, above = _difference(poses, ANKLE, 0) / stature, _difference(poses, ANKLE, 1) / stature
    out[2], out[3] = _deviation(apart), _deviation(above)
    steps = np.full(moments, np.nan)
    for moment in range(1, moments):
        elapsed_s = ages_s[moment - 1] - ages_s[moment]
        if elapsed_s > 0.0:
            way = np.hypot(apart[moment] - apart[moment - 1], above[moment] - above[moment - 1])
            steps[moment] = way / max(elapsed_s, 0.1)
    out[4] = _median_of_known(steps, 2)
    out[5] = _deviation(_difference(poses, KNEE, 0)) / stature
    out[6] = _deviation(_difference(poses, WRIST, 0)) / stature
    out[7] = _deviation(centre[1] - (0.0 if np.isnan(down) else down) * -ages_s)
    out[8] = _fastest(ages_s, centre[1])
    out[10] = _speed(ages_s, centre[0], centre[1])
    out[9] = min(ages_s[0] - ages_s[moments - 1], 2.0) / 2.0
    heights, knees = np.empty(moments), np.empty(moments)
    for moment in range(moments):
        heights[moment], knees[moment] = _bent(poses[moment])
    out[11], out[12] = _range(heights) / (LEG * stature), _range(knees)
