"""The speeds of the people of one frame, computed once for all rules about bodies."""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from tracking.compiled import compiled
from tracking.rules.bodies.bodies import BodiesOfFrame
from tracking.rules.bodies.descent import DOWN
from tracking.rules.bodies.kept import Kept, keep_rounded
from tracking.rules.bodies.pace import (
    GROWN_PX,
    GROWTH,
    HEIGHT_PX,
    KNOWN,
    LEGS,
    MOTION,
    STILL_LEGS,
    VIEW_WIDTHS,
    VX,
    VY,
    follow_pace,
)

SCALE = 1e5
"""Of remembered numbers, which have five decimals."""


def speeds_of_bodies(
    ids: list[int],
    fresh: BoolArray,
    boxes_px: Float64Array,
    joints_px: Float64Array,
    heights_px: Float64Array,
    velocities_px_s: Float64Array,
    frame: tuple[float, float, float],
    bodies_and_kept: tuple[BodiesOfFrame, Kept],
) -> list[float]:
    """Speeds (N,) of the people in body heights a second, 0 where they are not known or the body is not upright.

    Args:
        ids: (N,) numbers of the people.
        fresh: (N,) whether they were detected in this frame.
        boxes_px: (N, 4).
        joints_px: (N, 17, 3), confidence 0 where there are none.
        heights_px: (N,) of the bodies upright.
        velocities_px_s: (N, 2) that the tracker reports, 0 if it does not.
        frame: width and height of the picture, and capture time in seconds.
        bodies_and_kept: the bodies of the same people, and the memory of the camera's rules, which is changed.
    """
    bodies, kept = bodies_and_kept
    rows, _ = kept.paces.of(ids)
    speeds = np.zeros(len(ids))
    _follow_and_read(rows, boxes_px, joints_px, heights_px, velocities_px_s, fresh, frame, (bodies.state, speeds))
    kept.paces.changed(fresh)
    found: list[float] = speeds.tolist()
    return found


@compiled
def _follow_and_read(
    kept: Float64Array,
    boxes_px: Float64Array,
    joints_px: Float64Array,
    heights_px: Float64Array,
    velocities_px_s: Float64Array,
    fresh: BoolArray,
    frame: tuple[float, float, float],
    bodies_and_speeds: tuple[Float64Array, Float64Array],
) -> None:
    """Fill the speeds (N,), which are 0, and keep (N, PACE) what they follow from, rounded; bodies are (N, STATE)."""
    bodies, speeds = bodies_and_speeds
    state, motion = kept.copy(), np.empty((len(kept), MOTION))
    follow_pace(state, boxes_px, joints_px, heights_px, velocities_px_s, fresh, frame, motion)
    keep_rounded(kept, state, fresh, SCALE)
    camera_x, camera_y = _camera_px_s(motion)
    for row in range(len(motion)):
        one = motion[row]
        if bodies[row, DOWN] > 0.0 or one[KNOWN] <= 0.0 or 0.0 <= one[LEGS] < STILL_LEGS:
            continue
        # Without legs, raised arms would look like someone who comes closer.
        growth = one[GROWTH] if one[LEGS] >= 0.0 else 0.0
        # A pinhole camera: who comes closer also moves away from the middle of the picture.
        x = one[VX] - camera_x - ((boxes_px[row, 0] + boxes_px[row, 2]) / 2.0 - frame[0] / 2.0) * growth
        y = one[VY] - camera_y - ((boxes_px[row, 1] + boxes_px[row, 3]) / 2.0 - frame[1] / 2.0) * growth
        height_px = max(one[HEIGHT_PX], 1.0)
        towards = growth * VIEW_WIDTHS * frame[0] / max(one[GROWN_PX], 1.0)
        speeds[row] = math.sqrt((x / height_px) ** 2 + (y / height_px) ** 2 + towards**2)


@compiled
def _camera_px_s(motion: Float64Array) -> tuple[float, float]:
    """How the picture moves, by people whose legs are still; 0 if too few of them agree.

    Two people are enough. If nobody's legs are seen, three are needed, because most people do not run all at once.
    """
    shows = np.zeros(len(motion), np.bool_)
    for row in range(len(motion)):
        shows[row] = motion[row, KNOWN] > 0.0 and 0.0 <= motion[row, LEGS] < STILL_LEGS
    x, y, agree = _common_px_s(motion, shows, 2)
    if agree:
        return x, y
    least = 2 if shows.any() else 3
    for row in range(len(motion)):
        shows[row] = motion[row, KNOWN] > 0.0 and motion[row, LEGS] < STILL_LEGS
    x, y, agree = _common_px_s(motion, shows, least)
    return (x, y) if agree else (0.0, 0.0)


@compiled
def _common_px_s(motion: Float64Array, shows: BoolArray, least: int) -> tuple[float, float, bool]:
    """The median velocity of some people, and whether they are enough and two thirds of them move like that."""
    count = shows.sum()
    if count < least:
        return 0.0, 0.0, False
    x, y = np.median(motion[shows, VX]), np.median(motion[shows, VY])
    near = 0
    for row in range(len(motion)):
        apart = math.hypot(motion[row, VX] - x, motion[row, VY] - y)
        if shows[row] and apart <= 0.1 * math.hypot(x, y) + 0.2 * motion[row, HEIGHT_PX]:
            near += 1
    return x, y, 3 * near >= 2 * count
