"""Conversion of the polygons of `PoseFrame.masks` to pixels, with numpy only.

A polygon is closed: its last point is connected to its first. Pixel (x, y) covers the square from (x, y) to
(x + 1, y + 1). A person with several separate visible parts is one polygon, whose parts are connected by lines that run
there and back. The even-odd rule decides which points are inside, as in `cv2.fillPoly`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float32Array, check_array


def mask_of(polygon_px: Float32Array, size_px: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the mask (height, width), bool, of the pixels whose centres are inside a polygon (M, 2).

    `size_px` is the picture's (width, height). Fewer than three points give an empty mask. Raises ValueError for a
    polygon of another shape or with a number that is not finite, and for a negative size.
    """
    check_array("polygon_px", polygon_px, (None, 2))
    width, height = size_px
    if width < 0 or height < 0:
        raise ValueError(f"size_px is {size_px}, expected (width, height) in pixels")
    start = polygon_px.astype(np.float64)
    if not np.isfinite(start).all():
        raise ValueError("polygon_px has a number that is not finite")
    end = np.roll(start, -1, axis=0)
    centres = np.arange(height)[:, None] + 0.5
    row, edge = np.nonzero((start[:, 1] <= centres) != (end[:, 1] <= centres))
    (x, y), (next_x, next_y) = start[edge].T, end[edge].T
    crossing = x + (row + 0.5 - y) * (next_x - x) / (next_y - y)
    # To the right of each crossing, inside and outside are exchanged.
    changes = np.zeros((height, width + 1), np.uint8)
    np.add.at(changes, (row, np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.intp)), 1)
    inside: npt.NDArray[np.bool_] = np.cumsum(changes, axis=1, dtype=np.uint8)[:, :width] % 2 == 1
    return inside
