"""Conversion of the polygons of `PoseFrame.masks` to pixels, with numpy only.

A polygon is closed: its last point is connected to its first. Pixel (x, y) covers the square from (x, y) to
(x + 1, y + 1). A person with several separate visible parts is one polygon, whose parts are connected by lines that run
there and back. The even-odd rule decides which points are inside, as in `cv2.fillPoly`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float32Array


def mask_of(polygon_px: Float32Array, size_px: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the mask (height, width), bool, of the pixels whose centres are inside a polygon (M, 2).

    `size_px` is the picture's (width, height). Fewer than three points give an empty mask.
    """
    width, height = size_px
    start = np.asarray(polygon_px, np.float64).reshape(-1, 2)
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
