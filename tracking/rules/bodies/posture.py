"""The posture of a body in one frame, from its keypoints and box; lengths in body heights. Pure."""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import Float64Array
from tracking.body_model.skeleton import (
    ANKLE,
    ANKLE_HEIGHT,
    ELBOW,
    FACE,
    HEAD_HEIGHT,
    HIP,
    KNEE,
    SEEN_CONFIDENCE,
    SHANK,
    SHOULDER,
    SHOULDER_HEIGHT,
    THIGH,
    TRUNK,
    WRIST,
)
from tracking.compiled import compiled

SURE = 0.5
"""Least confidence of a keypoint where much depends on it: networks place hidden feet somewhere on the body."""

STRAIGHT_LEGS = 1.15
"""Of a body that stands, the ankles are at least this many trunk lengths below the hips, in any view from the side:
1.7 standing, 0.9 sitting on a chair, less when crouching. It needs no body height."""

STANDING_LEGS = 1.4
"""And this many where its height is measured: from the front and above, sitting on a chair comes to 1.25."""

UPRIGHT_RADIANS = math.radians(35.0)
SLENDER = 1.7
"""Height of an upright body's box divided by its width, at least: 2.2 to 3.3, less with arms spread."""

(
    TOP_PX,
    BOTTOM_PX,
    HEAD_Y_PX,
    SHOULDER_Y_PX,
    HIP_X_PX,
    HIP_Y_PX,
    ANKLE_X_PX,
    ANKLE_Y_PX,
    TRUNK_RADIANS,
    TRUNK_PX,
    STANDING_PX,
    BONES_PX,
    SLENDERNESS,
    CUT_BELOW,
    WIDTH_PX,
    LEFT_ARM_PX,
    RIGHT_ARM_PX,
    KNEE_Y_PX,
    SHOULDER_X_PX,
) = range(19)
MEASURES = 19
"""Columns of what `measure` finds; NaN where the keypoints it needs are not seen.

STANDING_PX is the standing body height by a body that stands; BONES_PX the one by the longest of trunk, thighs and
shanks, which holds in any posture, since rarely all of them point at the camera. LEFT_ARM_PX and RIGHT_ARM_PX say how
far above the shoulders the wrists are, by the elbow where the wrist is not seen. CUT_BELOW is 1 where the picture's
lower border cuts the body.
"""


@compiled
def measure(boxes_px: Float64Array, joints_px: Float64Array, height_px: float, out: Float64Array) -> None:
    """Measure bodies in one frame.

    Args:
        boxes_px: (N, 4) x1, y1, x2, y2.
        joints_px: (N, 17, 3) keypoints as x, y, confidence; confidence 0 where there are none.
        height_px: of the picture.
        out: (N, MEASURES), filled.
    """
    for row in range(len(boxes_px)):
        measure_one(boxes_px[row], joints_px[row], height_px, out[row])


@compiled
def cut_by_borders(box_px: Float64Array, height_px: float) -> tuple[bool, bool]:
    """Whether the upper and the lower border of a picture of this height cut off a box (4,)."""
    return box_px[1] <= 2.0, box_px[3] >= 0.985 * height_px - 2.0


@compiled
def pair_mean(joints_px: Float64Array, first: int) -> tuple[float, float]:
    """The middle of those keypoints of a pair that are seen, or NaN."""
    x, y, count = 0.0, 0.0, 0
    for joint in (first, first + 1):
        if joints_px[joint, 2] >= SEEN_CONFIDENCE:
            x += joints_px[joint, 0]
            y += joints_px[joint, 1]
            count += 1
    if count == 0:
        return np.nan, np.nan
    return x / count, y / count


@compiled
def longest_bone_px(joints_px: Float64Array, trunk_px: float) -> float:
    """The body height by the longest of trunk, thighs and shanks whose ends are surely seen; 0 where none is."""
    longest = trunk_px / TRUNK if trunk_px == trunk_px else 0.0
    for first, length in ((HIP, THIGH), (KNEE, SHANK)):
        for joint in (first, first + 1):
            if joints_px[joint, 2] >= SURE and joints_px[joint + 2, 2] >= SURE:
                x = joints_px[joint, 0] - joints_px[joint + 2, 0]
                y = joints_px[joint, 1] - joints_px[joint + 2, 1]
                longest = max(longest, math.hypot(x, y) / length)
    return longest


@compiled
def measure_one(box_px: Float64Array, joints_px: Float64Array, height_px: float, out: Float64Array) -> None:
    """`measure` of one body: box_px (4,), joints_px (17, 3), out (MEASURES,)."""
    top, bottom = box_px[1], box_px[3]
    width, height = max(box_px[2] - box_px[0], 1.0), max(bottom - top, 1.0)
    head, faces = 0.0, 0
    for joint in range(FACE):
        if joints_px[joint, 2] >= SEEN_CONFIDENCE:
            head += joints_px[joint, 1]
            faces += 1
    head = head / faces if faces else np.nan
    shoulder_x, shoulder_y = pair_mean(joints_px, SHOULDER)
    hip_x, hip_y = pair_mean(joints_px, HIP)
    ankle_x, _ = pair_mean(joints_px, ANKLE)
    _, knee_y = pair_mean(joints_px, KNEE)
    ankle_y = np.nan
    for joint in (ANKLE, ANKLE + 1):
        if joints_px[joint, 2] >= SURE and not ankle_y >= joints_px[joint, 1]:
            ankle_y = joints_px[joint, 1]
    for side in range(2):
        out[LEFT_ARM_PX + side] = np.nan
        if joints_px[WRIST + side, 2] >= SEEN_CONFIDENCE:
            out[LEFT_ARM_PX + side] = shoulder_y - joints_px[WRIST + side, 1]
        elif joints_px[ELBOW + side, 2] >= SEEN_CONFIDENCE:
            # An upper arm that points up as far as this has its wrist higher still.
            out[LEFT_ARM_PX + side] = 1.5 * (shoulder_y - joints_px[ELBOW + side, 1])
    trunk_x, trunk_y = hip_x - shoulder_x, hip_y - shoulder_y
    trunk = math.hypot(trunk_x, trunk_y)
    angle = math.atan2(abs(trunk_x), trunk_y) if trunk == trunk else np.nan
    cut_above, cut_below = cut_by_borders(box_px, height_px)
    slenderness = height / width
    standing = np.nan
    if not cut_below and not cut_above and slenderness >= SLENDER:
        if angle == angle:
            if angle <= UPRIGHT_RADIANS and ankle_y - hip_y >= STANDING_LEGS * trunk_y:
                standing = (ankle_y - shoulder_y) / (SHOULDER_HEIGHT - ANKLE_HEIGHT)
                if head == head:
                    standing = 0.5 * (standing + (ankle_y - head) / (HEAD_HEIGHT - ANKLE_HEIGHT))
        elif joints_px[:, 2].max() < SEEN_CONFIDENCE:
            standing = 0.97 * height
    out[TOP_PX], out[BOTTOM_PX] = top, bottom
    if head != head and trunk == trunk:
        head = shoulder_y - (HEAD_HEIGHT - SHOULDER_HEIGHT) / TRUNK * trunk_y
    out[HEAD_Y_PX], out[SHOULDER_X_PX], out[SHOULDER_Y_PX] = head, shoulder_x, shoulder_y
    out[HIP_X_PX], out[HIP_Y_PX] = hip_x, hip_y
    out[ANKLE_X_PX], out[ANKLE_Y_PX] = ankle_x, ankle_y
    out[KNEE_Y_PX] = knee_y
    out[TRUNK_RADIANS], out[TRUNK_PX] = angle, trunk
    out[STANDING_PX] = standing
    out[BONES_PX] = longest_bone_px(joints_px, trunk)
    out[SLENDERNESS], out[WIDTH_PX] = slenderness, width
    out[CUT_BELOW] = 1.0 if cut_below else 0.0
