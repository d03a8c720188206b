"""Outlines of people in pictures: drawing them, or blurring the people inside.

All functions change the BGR picture (H, W, 3) that they are given; polygons are in its pixels (see
`posebus.contract.masks`).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from posebus.arrays import Float32Array
from posebus.contract.masks import mask_of
from posebus.messages import TrackFrame, TrackState
from recordings.results.draw import Color, Image

NO_OUTLINE: Float32Array = np.zeros((0, 2), np.float32)

_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV gets."""

DETAILS = 8
"""Rows and columns to which a person's box is reduced: too few to recognise a face."""
MARGIN = 1 / 40
"""Margin around an outline, as a fraction of the box's longer side: an inexact one leaves out no ear or hand."""


def draw_outlines(image_bgr: Image, masks: Sequence[Float32Array], colors: Sequence[Color]) -> None:
    """Draw polygons (M, 2) with a line width that follows the picture's size; empty polygons are left out."""
    width_px = max(1, round(min(image_bgr.shape[:2]) / 400))
    for mask, color in zip(masks, colors, strict=True):
        if len(mask):
            points = np.round(mask * 2**_SHIFT).astype(np.int32)
            cv2.polylines(image_bgr, [points], True, color, width_px, cv2.LINE_AA, _SHIFT)


def blur_tracks(image_bgr: Image, frame: TrackFrame) -> None:
    """Blur the boxes of all people of a frame, whose picture may be a reduced copy; predicted and lost ones, too."""
    scale = np.array([image_bgr.shape[1], image_bgr.shape[0]], np.float32) / np.array(frame.size_px, np.float32)
    boxes = [track.box_xyxy_px * np.tile(scale, 2) for track in frame.tracks if track.state != TrackState.ENDED]
    finite = [box for box in boxes if np.isfinite(box).all()]
    blur_people(image_bgr, np.array(finite, np.float32).reshape(-1, 4), [NO_OUTLINE] * len(finite))


def blur_people(image_bgr: Image, boxes_xyxy_px: Float32Array, masks: Sequence[Float32Array]) -> None:
    """Blur N people: the inside of their polygon (M, 2), or the whole box (4,) where the polygon is empty."""
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
