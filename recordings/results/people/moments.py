"""The moments that show a person best: large, detected, inside the picture, and not hidden. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from posebus.arrays import Float32Array
from recordings.results.people.person import Moment

KEPT = 3
"""Moments of one person; the sharpest picture among them becomes the snapshot."""
APART_S = 0.5
"""Moments that are closer show the same: the better one of them is kept."""
VISIBLE = 2


class BestMoments:
    """The best moments of one person so far."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []

    def add(self, moment: Moment) -> None:
        """Take another moment; moments must come in the order of time."""
        moments = self._moments
        if moments and moment.time_s - moments[-1].time_s < APART_S:
            if moment.quality > moments[-1].quality:
                moments[-1] = moment
            return
        if len(moments) < KEPT:
            moments.append(moment)
            return
        worst = min(range(KEPT), key=lambda index: moments[index].quality)
        if moment.quality > moments[worst].quality:
            del moments[worst]
            moments.append(moment)

    @property
    def in_order(self) -> tuple[Moment, ...]:
        """The moments, the best first."""
        return tuple(sorted(self._moments, key=lambda moment: (-moment.quality, moment.frame)))


def qualities(tracks: Sequence[dict[str, Any]], size_px: Sequence[int]) -> list[float]:
    """Return how well a frame of `size_px` shows each of its tracks, which are as in the messages.

    The height in pixels, multiplied by the part of the joints that is visible, and by the squares of the part of the
    box that no other box covers, and of the part that is inside the picture.
    """
    if not tracks:
        return []
    boxes = np.array([track["box_xyxy_px"] for track in tracks], np.float32)
    inside, free = _inside(boxes, size_px), 1 - _covered(boxes)
    found = []
    for index, track in enumerate(tracks):
        flags = track["keypoint_visibility"]
        visible = sum(flag == VISIBLE for flag in flags) / len(flags) if flags else 1.0
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
