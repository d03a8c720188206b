"""Where people stand in the picture, and how tall they would be there upright. Pure.

**Feet.** A person stands where the ankles are, if they are seen. Where they are not, as behind a table, the knees say
how far below the floor is: a shank is about as long as a thigh. Without knees it is the lower edge of the box. Ankles
are a little above the floor, so that the point is moved down to the sole, but not below the box: it does not jump when
ankles are hidden.

**Heights.** A box shrinks when a person bends, sits or is cut off, while trunk, thighs and shanks keep their length,
and of these only those that point at the camera look shorter. So the height comes from the two of them that look
longest for their share of a standing body (see `body_model.skeleton`), within limits that the box sets.
"""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float32Array, Float64Array, FloatingArray, Int64Array
from tracking.body_model import MIN_SIDE_PX
from tracking.body_model.skeleton import (
    ANKLE,
    ANKLE_HEIGHT,
    HIP,
    JOINTS,
    KNEE,
    SEEN_CONFIDENCE,
    SHANK,
    SHOULDER,
    THIGH,
    TRUNK,
)
from tracking.compiled import compiled

LEAST, MOST = 0.8, 2.0
"""Bounds of the height in longer sides of the box: arms above the head lengthen it, and squatting halves it."""
UNKNOWN, BOX, KNEES, ANKLES = range(4)
"""What the place of the feet was taken from."""
CUT_PX = 1.0
"""A box that ends so near to the lower border of the picture is cut off there."""


def foot_points_px(
    boxes_xyxy_px: FloatingArray, keypoints_px: FloatingArray | None, size_px: tuple[int, int]
) -> Float64Array:
    """Return where each person stands (N, 2), in pixels of the picture and within it.

    Args:
        boxes_xyxy_px: (N, 4) corners.
        keypoints_px: (N, K, 3) rows of x, y, confidence in COCO's order, or None.
        size_px: (width, height) of the picture.
    """
    points, _ = standing_points_px(boxes_xyxy_px, keypoints_px, size_px)
    return np.clip(points, 0.0, np.array(size_px, np.float64))


def standing_points_px(
    boxes_xyxy_px: FloatingArray, keypoints_px: FloatingArray | None, size_px: tuple[int, int]
) -> tuple[Float64Array, Int64Array]:
    """Return the same points (N, 2), which may be outside the picture, and what each was taken from (N,).

    That is UNKNOWN for the feet where the lower border of the picture cuts off the person above the knees. Arguments
    as for `foot_points_px`.
    """
    boxes, joints = _plain(boxes_xyxy_px, keypoints_px)
    points, sources = np.empty((len(boxes), 2)), np.full(len(boxes), BOX)
    _stand(boxes, joints, float(size_px[1]), points, sources, np.empty(len(boxes)))
    return points, sources


def body_heights_px(boxes_xyxy_px: FloatingArray, keypoints_px: FloatingArray | None) -> Float64Array:
    """Return how tall each person would be in the picture upright, (N,) in pixels; arguments as for `foot_points_px`.

    Pixels must be about square.
    """
    boxes, joints = _plain(boxes_xyxy_px, keypoints_px)
    heights = np.empty(len(boxes))
    _measure(boxes, joints, heights)
    return heights


def feet_and_heights_px(
    boxes_xyxy_px: Float64Array, keypoints_px: Float64Array | None, size_px: tuple[int, int]
) -> tuple[Float64Array, Float64Array]:
    """Return `foot_points_px` and `body_heights_px`, 1 at least, in one call: it costs more than the arithmetic."""
    joints = np.zeros((len(boxes_xyxy_px), 0, 3)) if keypoints_px is None else keypoints_px
    points, heights = np.empty((len(boxes_xyxy_px), 2)), np.empty(len(boxes_xyxy_px))
    _stand_within(boxes_xyxy_px, joints, float(size_px[0]), float(size_px[1]), points, heights)
    return points, heights


def ankles_px(keypoints_px: Float32Array | None, otherwise: Float64Array) -> Float64Array:
    """Return the middle (N, 2) of the ankles that are seen of each person, and `otherwise` (N, 2) without any."""
    if keypoints_px is None or keypoints_px.shape[1] < JOINTS:
        return otherwise
    ankles = keypoints_px[:, ANKLE : ANKLE + 2].astype(float)
    seen = (ankles[..., 2] >= SEEN_CONFIDENCE) & np.isfinite(ankles).all(axis=2)
    total = np.where(seen[..., None], ankles[..., :2], 0.0).sum(axis=1)
    count = seen.sum(axis=1, keepdims=True)
    middles: Float64Array = np.where(count > 0, total / np.maximum(count, 1), otherwise)
    return middles


def lower_edges_px(boxes_xyxy_px: Float64Array) -> Float64Array:
    """Return the middle (N, 2) of the lower edge of each box (N, 4)."""
    return np.stack([(boxes_xyxy_px[:, 0] + boxes_xyxy_px[:, 2]) / 2, boxes_xyxy_px[:, 3]], axis=1)


def _plain(boxes_xyxy_px: FloatingArray, keypoints_px: FloatingArray | None) -> tuple[Float64Array, Float64Array]:
    """Return copies of boxes (N, 4) and joints (N, K, 3), in the one form for which kernels are compiled."""
    boxes = np.array(boxes_xyxy_px, np.float64).reshape(-1, 4)
    if keypoints_px is None:
        return boxes, np.zeros((len(boxes), 0, 3))
    return boxes, np.array(keypoints_px, np.float64)


@compiled
def _is_seen(joints: Float64Array, joint: int) -> bool:
    return bool(joints[joint, 2] >= SEEN_CONFIDENCE and np.isfinite(joints[joint, 0]) and np.isfinite(joints[joint, 1]))


@compiled
def _length(joints: Float64Array, upper: int, lower: int) -> float:
    """Mean length of a limb over the sides on which both of its ends are seen; 0 where they are on none."""
    total, sides = 0.0, 0
    for side in range(2):
        begin, end = upper + side, lower + side
        if _is_seen(joints, begin) and _is_seen(joints, end):
            total += np.hypot(joints[end, 0] - joints[begin, 0], joints[end, 1] - joints[begin, 1])
            sides += 1
    return total / max(sides, 1)


@compiled
def _height(box: Float64Array, joints: Float64Array) -> float:
    longer = max(box[2] - box[0], box[3] - box[1], MIN_SIDE_PX)
    if len(joints) < JOINTS:
        return float(longer)
    trunk = _length(joints, SHOULDER, HIP) / TRUNK
    thigh = _length(joints, HIP, KNEE) / THIGH
    shank = _length(joints, KNEE, ANKLE) / SHANK
    known = (trunk > 0.0) + (thigh > 0.0) + (shank > 0.0)
    if known >= 2:
        height = (trunk + thigh + shank - min(trunk, thigh, shank)) / 2
    elif trunk > 0.0:
        height = trunk
    else:
        return float(longer)
    return float(min(max(height, LEAST * longer), MOST * longer))


@compiled
def _measure(boxes: Float64Array, joints: Float64Array, heights: Float64Array) -> None:
    """Write the height of each person into `heights` (N,)."""
    for person in range(len(boxes)):
        heights[person] = _height(boxes[person], joints[person])


@compiled
def _stand(
    boxes: Float64Array,
    joints: Float64Array,
    picture_height_px: float,
    points: Float64Array,
    sources: Int64Array,
    heights: Float64Array,
) -> None:
    """Write where each person stands into `points` (N, 2), from what into `sources` (N,), and `heights` (N,)."""
    _measure(boxes, joints, heights)
    for person in range(len(boxes)):
        box, body = boxes[person], joints[person]
        points[person, 0], points[person, 1] = (box[0] + box[2]) / 2, box[3]
        sources[person] = UNKNOWN if box[3] >= picture_height_px - CUT_PX else BOX
        if len(body) < JOINTS:
            continue
        sole = ANKLE_HEIGHT * heights[person]
        x = y = lowest = 0.0
        ankles = knees = 0
        for ankle in range(ANKLE, ANKLE + 2):
            if _is_seen(body, ankle):
                x, y, lowest, ankles = x + body[ankle, 0], y + body[ankle, 1], max(lowest, body[ankle, 1]), ankles + 1
        if ankles:
            points[person, 0] = x / ankles
            points[person, 1] = min(y / ankles + sole, max(box[3], lowest))
            sources[person] = ANKLES
            continue
        for hip, knee in ((HIP, KNEE), (HIP + 1, KNEE + 1)):
            if _is_seen(body, knee):
                thigh = 0.0
                if _is_seen(body, hip):
                    thigh = np.hypot(body[knee, 0] - body[hip, 0], body[knee, 1] - body[hip, 1])
                x, y, knees = x + body[knee, 0], y + body[knee, 1] + thigh, knees + 1
        if knees:
            points[person, 0] = x / knees
            points[person, 1] = max(y / knees + sole, box[3])
            sources[person] = KNEES


@compiled
def _stand_within(
    boxes: Float64Array,
    joints: Float64Array,
    width_px: float,
    height_px: float,
    points: Float64Array,
    heights: Float64Array,
) -> None:
    """Write where each person stands within the picture into `points` (N, 2), and `heights` (N,), 1 at least."""
    _stand(boxes, joints, height_px, points, np.empty(len(boxes), np.int64), heights)
    for person in range(len(boxes)):
        heights[person] = max(heights[person], 1.0)
        for axis, most in ((0, width_px), (1, height_px)):
            if points[person, axis] < 0.0:
                points[person, axis] = 0.0
            elif points[person, axis] > most:
                points[person, axis] = most
