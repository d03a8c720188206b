"""The speeds of the people of one frame, computed once for all rules about bodies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from posebus.messages import Track
from tracking.body_model.skeleton import JOINTS
from tracking.compiled import compiled
from tracking.rules.bodies.bodies import BodiesOfFrame
from tracking.rules.bodies.descent import DOWN
from tracking.rules.bodies.pace import (
    GROWN_PX,
    GROWTH,
    HEIGHT_PX,
    KNOWN,
    LEGS,
    MOTION,
    PACE,
    STILL_LEGS,
    VIEW_WIDTHS,
    VX,
    VY,
    follow_pace,
)

SHARED_KEY = "pace"
"""What is remembered of a person, in the memory that all rules of a camera share: the row of PACE columns."""

DECIMALS = 5


def speeds_of_bodies(
    people: Sequence[Track],
    boxes_px: Float64Array,
    keypoints_px: Float64Array | None,
    heights_px: Float64Array,
    size_px: tuple[int, int],
    now_s: float,
    bodies: BodiesOfFrame,
    shared: dict[int, dict[str, Any]],
) -> list[float]:
    """Speeds (N,) of the people in body heights a second, 0 where they are not known or the body is not upright.

    Args:
        people: N tracks.
        boxes_px: (N, 4).
        keypoints_px: (N, K, 3), or None; only those of 17 joints are used.
        heights_px: (N,) of the bodies upright.
        size_px: (width, height) of the picture.
        now_s: capture time.
        bodies: of the same people.
        shared: memory by track id, see `Scene.shared`; it is changed.
    """
    if keypoints_px is None or keypoints_px.shape[1] != JOINTS:
        keypoints_px = np.zeros((len(people), JOINTS, 3))
    state, motion = np.full((len(people), PACE), -1.0), np.empty((len(people), MOTION))
    for row, one in enumerate(people):
        known = shared.get(one.id, {}).get(SHARED_KEY)
        if known is not None and len(known) == PACE:
            state[row] = known
    fresh = np.array(bodies.fresh, np.bool_)
    velocities = np.array([one.velocity_px_s for one in people], np.float64).reshape(len(people), 2)
    frame = (float(size_px[0]), float(size_px[1]), now_s)
    follow_pace(state, boxes_px, keypoints_px, heights_px, velocities, fresh, frame, motion)
    for one, seen, known in zip(people, bodies.fresh, np.round(state, DECIMALS).tolist(), strict=True):
        if seen:
            shared.setdefault(one.id, {})[SHARED_KEY] = known
    speeds = speeds_of(motion, (boxes_px[:, :2] + boxes_px[:, 2:]) / 2.0, size_px)
    return [0.0 if down > 0.0 else speed for speed, down in zip(speeds, bodies.state[:, DOWN], strict=True)]


def speeds_of(motion: Float64Array, middles_px: Float64Array, size_px: tuple[int, int]) -> list[float]:
    """Speeds over the ground (N,) in body heights a second, 0 while they are not known.

    Args:
        motion: (N, MOTION).
        middles_px: (N, 2) of the people in the picture.
        size_px: (width, height) of the picture.
    """
    speeds = np.zeros(len(motion))
    _speeds(motion, middles_px, (float(size_px[0]), float(size_px[1])), speeds)
    found: list[float] = speeds.tolist()
    return found


@compiled
def _speeds(motion: Float64Array, middles_px: Float64Array, size_px: tuple[float, float], speeds: Float64Array) -> None:
    camera_x, camera_y = _camera_px_s(motion)
    for row in range(len(motion)):
        one = motion[row]
        if one[KNOWN] <= 0.0 or 0.0 <= one[LEGS] < STILL_LEGS:
            continue
        # Without legs, raised arms would look like someone who comes closer.
        growth = one[GROWTH] if one[LEGS] >= 0.0 else 0.0
        # A pinhole camera: who comes closer also moves away from the middle of the picture.
        x = one[VX] - camera_x - (middles_px[row, 0] - size_px[0] / 2.0) * growth
        y = one[VY] - camera_y - (middles_px[row, 1] - size_px[1] / 2.0) * growth
        height_px = max(one[HEIGHT_PX], 1.0)
        towards = growth * VIEW_WIDTHS * size_px[0] / max(one[GROWN_PX], 1.0)
        speeds[row] = math.sqrt((x / height_px) ** 2 + (y / height_px) ** 2 + towards**2)


@compiled
def _camera_px_s(motion: Float64Array) -> tuple[float, float]:
    """How the picture moves, as those people show it whose legs are still; 0 if too few of them agree.

    Two are enough, and three of people whose legs are not seen, most of whom then do not run all at once.
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
    """The median velocity of some people, and whether there are enough of them of whom two thirds move so."""
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
