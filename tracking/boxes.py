"""Boxes in the two forms the tracker needs: corners x1, y1, x2, y2 and centre x, y with width, height. Pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MIN_SIDE_PX = 1.0
"""A predicted box never becomes smaller, however long it has shrunk unseen."""


def body_size(centred: Floats) -> Floats:
    """The measure (N,) of all distances of a body: its longer side, thus the height of who stands."""
    return np.maximum(np.maximum(centred[:, 2], centred[:, 3]), MIN_SIDE_PX)


def area(corners: Floats) -> Floats:
    """Areas (N,) in square pixels of (N, 4) corners."""
    width, height = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    return np.asarray(width * height)


def iou(corners_a: Floats, corners_b: Floats) -> Floats:
    """Intersection over union of all pairs of (A, 4) and (B, 4) boxes: (A, B) in 0..1."""
    low = np.maximum(corners_a[:, None, :2], corners_b[None, :, :2])
    high = np.minimum(corners_a[:, None, 2:], corners_b[None, :, 2:])
    sides = np.maximum(high - low, 0.0)
    shared = sides[..., 0] * sides[..., 1]
    union = area(corners_a)[:, None] + area(corners_b) - shared
    return np.asarray(shared / np.maximum(union, 1e-9))
