"""Geometry of boxes given by their corners x1, y1, x2, y2 in pixels."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numpy as np

from posebus.arrays import FloatingArray, check_array, check_boxes

Boxes = TypeVar("Boxes", bound=FloatingArray)


def area(corners: Boxes) -> Boxes:
    """Areas (...,) in square pixels of boxes (..., 4). Raises ValueError for an array of another shape."""
    check_boxes("corners", corners)
    return _area(corners)


def _area(corners: Boxes) -> Boxes:
    areas: Any = (corners[..., 2] - corners[..., 0]) * (corners[..., 3] - corners[..., 1])
    return cast(Boxes, areas)


def iou_matrix(first: Boxes, second: Boxes) -> Boxes:
    """Intersection over union of all pairs of boxes (N, 4) and (M, 4): (N, M) in 0..1, as `iou`."""
    check_array("first", first, (None, 4))
    check_array("second", second, (None, 4))
    pairs: Any = iou(first[:, None], second[None])
    return cast(Boxes, pairs)


def iou(a: Boxes, b: Boxes) -> Boxes:
    """Intersection over union (...,) of boxes (..., 4) in the same places, 0 where both are empty.

    Leading axes broadcast. The result has the precision of the boxes. Raises ValueError for arrays of another shape.
    """
    check_boxes("a", a)
    check_boxes("b", b)
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = _area(a) + _area(b) - shared
    ratio: Boxes = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio
