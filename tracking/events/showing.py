"""How well a frame shows a person: large, inside the picture, and not hidden. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posebus.arrays import Float32Array
from posebus.coco import VISIBLE
from tracking.events.way import Flags


def qualities(
    boxes_xyxy_px: Sequence[Sequence[float]] | Sequence[Float32Array],
    visibilities: Sequence[Flags | None],
    size_px: Sequence[int],
) -> list[float]:
    """Return how well a frame of `size_px` shows each of its people, whose boxes and flags of joints are given.

    The height in pixels, multiplied by the part of the joints that is visible, and by the squares of the part of the
    box that no other box covers, and of the part that is inside the picture.
    """
    if not len(boxes_xyxy_px):
        return []
    boxes = np.array(boxes_xyxy_px, np.float32)
    inside, free = _inside(boxes, size_px), 1 - _covered(boxes)
    found = []
    for index, flags in enumerate(visibilities):
        visible = 1.0
        if flags is not None and len(flags):
            visible = list(flags if isinstance(flags, Sequence) else flags.tolist()).count(VISIBLE) / len(flags)
        height_px = float(boxes[index, 3] - boxes[index, 1])
        found.append(round(height_px * visible * float(free[index] * inside[index]) ** 2, 3))
    return found


def _areas(boxes: Float32Array) -> Float32Array:
    areas: Float32Array = np.maximum((boxes[..., 2:] - boxes[..., :2]).clip(0).prod(axis=-1), 1e-6)
    return areas


def _inside(boxes: Float32Array, size_px: Sequence[int]) -> Float32Array:
    cut = boxes.clip(0, np.array([*size_px, *size_px], np.float32))
    parts: Float32Array = (cut[:, 2:] - cut[:, :2]).clip(0).prod(axis=1) / _areas(boxes)
    return parts


def _covered(boxes: Float32Array) -> Float32Array:
    """Return the largest part of each box that lies under one other box."""
    if len(boxes) < 2:
        return np.zeros(len(boxes), np.float32)
    upper = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    lower = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    shared = (upper - lower).clip(0).prod(axis=2)
    np.fill_diagonal(shared, 0)
    parts: Float32Array = (shared / _areas(boxes)[:, None]).max(axis=1)
    return parts
