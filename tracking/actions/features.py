"""Numbers that describe posture and motion of a person; place, size and frame rate do not matter.

Lengths are in statures (the height of the upright body in the picture), velocities in statures per second of elapsed
time, and y is upwards. Of two sides, the larger and the smaller value are used, so that mirrored people are alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array, Int64Array
from tracking.actions.base import Windows
from tracking.actions.motion import MOTION_NAMES, describe_motion
from tracking.actions.posture import POSTURE_NAMES, describe_posture, posture_of
from tracking.actions.stature import is_upright, renewed_stature, seen_stature
from tracking.compiled import compiled

NAMES = (*POSTURE_NAMES, *MOTION_NAMES, "descent", "has_descent")
"""descent: the fastest way down since the person was last upright; has_descent: whether the person was upright ever."""

POSTURES, MOTIONS, FEATURES = len(POSTURE_NAMES), len(MOTION_NAMES), len(NAMES)
DOWN_PEAK = POSTURES + MOTION_NAMES.index("down_peak")

WINDOW_S = 2.1
"""Of low frame rates, more moments than these may be remembered; what a person did before says nothing about now."""

LARGEST = 4.0
"""Values beyond are errors of joints, and are cut off."""


class Features(NamedTuple):
    """values: (N, F) in the order of NAMES, 0 for what is not known; stature_px, descent: (N,) as in `Windows`, after
    these windows."""

    values: Float64Array
    stature_px: Float64Array
    descent: Float64Array


def features_of(windows: Windows) -> Features:
    """Return the features of all people in `windows`."""
    people = len(windows)
    values, remembered = np.zeros((people, FEATURES)), np.zeros((people, 2))
    before = np.column_stack([windows.dt_s, windows.stature_px, windows.descent])
    _describe(windows.ages_s, windows.poses_px, windows.count, before, values, remembered)
    return Features(values, remembered[:, 0], remembered[:, 1])


@compiled
def _describe(
    ages_s: Float64Array,
    poses_px: Float64Array,
    count: Int64Array,
    before: Float64Array,
    values: Float64Array,
    remembered: Float64Array,
) -> None:
    """Write features into `values` (N, F), and stature and descent into `remembered` (N, 2).

    before: (N, 3) of seconds, stature and descent as in `Windows`.
    """
    moments = ages_s.shape[1]
    for person in range(len(values)):
        first = moments - int(count[person])
        while first < moments - 1 and ages_s[person, first] > WINDOW_S:
            first += 1
        ages, poses = ages_s[person, first:], poses_px[person, first:]
        out = values[person]
        seen = seen_stature(ages, poses)
        posture = posture_of(ages, poses)
        dt_s, stature_before, descent = before[person, 0], before[person, 1], before[person, 2]
        upright = is_upright(posture, stature_before if stature_before > 0.0 else seen)
        stature = renewed_stature(stature_before, seen, upright, dt_s)
        describe_posture(posture, max(stature, 1e-6), out[:POSTURES])
        describe_motion(ages, poses, max(stature, 1e-6), out[POSTURES : POSTURES + MOTIONS])
        peak = out[DOWN_PEAK]
        last = peak if upright else max(descent, peak) if descent >= 0.0 else np.nan
        remembered[person, 0], remembered[person, 1] = stature, last
        out[FEATURES - 2], out[FEATURES - 1] = last, not np.isnan(last)
        for place in range(FEATURES):
            value = out[place]
            out[place] = 0.0 if np.isnan(value) else min(max(value, -LARGEST), LARGEST)
