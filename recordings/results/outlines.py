"""Outlines of people in pictures: drawn, or what is inside of them made unrecognisable.

All functions change the BGR picture (H, W, 3) that they are given; polygons are in its pixels (see
`posebus.contract.masks`).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from posebus.arrays import Float32Array
from posebus.contract.masks import mask_of
from recordings.results.draw import Color, Image

NO_OUTLINE: Float32Array = np.zeros((0, 2), np.float32)

_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV gets."""

DETAILS = 8
"""Rows and columns that are left of a person's box: too few for a face."""
MARGIN = 1 / 40
"""Around an outline, as part of the box's longer side: where it is inexact, no ear or hand is to stick out."""


def draw_outlines(image_bgr: Image, masks: Sequence[Float32Array], colors: Sequence[Color]) -> None:
    """Draws the polygons (M, 2), a line as wide as suits the picture; empty ones are left out."""
    width_px = max(1, round(min(image_bgr.shape[:2]) / 400))
    for mask, color in zip(masks, colors, strict=True):
        if len(mask):
            points = np.round(mask * 2**_SHIFT).astype(np.int32)
            cv2.polylines(image_bgr, [points], True, color, width_px, cv2.LINE_AA, _SHIFT)


def blur_people(image_bgr: Image, boxes_xyxy_px: Float32Array, masks: Sequence[Float32Array]) -> None:
    """Blurs N people: what is inside of their polygon (M, 2), or the whole box (4,) of whom has none."""
    height_px, width_px = image_bgr.shape[:2]
    for box, mask in zip(boxes_xyxy_px, masks, strict=True):
        around = np.concatenate((box.reshape(2, 2), mask))
        margin = round(MARGIN * float((around.max(axis=0) - around.min(axis=0)).max()))
        low = np.floor(around.min(axis=0)) - margin
        high = np.ceil(around.max(axis=0)) + margin
        left, top = np.clip(low, 0, (width_px, height_px)).astype(int)
        right, bottom = np.clip(high, 0, (width_px, height_px)).astype(int)
        if left >= right or top >= bottom:
            continue
        part = image_bgr[top:bottom, left:right]
        size = (int(right - left), int(bottom - top))
        few = cv2.resize(part, (min(DETAILS, size[0]), min(DETAILS, size[1])), interpolation=cv2.INTER_AREA)
        blurred = cv2.resize(few, size, interpolation=cv2.INTER_LINEAR)
        if len(mask):
            inside = mask_of(mask - np.array((left, top), np.float32), size).astype(np.uint8)
            reach = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
            hidden = cv2.dilate(inside, reach) > 0
            part[hidden] = blurred[hidden]
        else:
            part[:] = blurred
