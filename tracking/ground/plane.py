"""The map from the picture to the floor: a homography from four points (R. Hartley and A. Zisserman, "Multiple View
Geometry", 2003, chapter 4). Pure."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array
from posebus.config.cameras.ground import GroundSettings

COARSEST_M = 1.0
"""Where one pixel is more than this on the floor, towards the horizon, people have no position."""
OUTSIDE_M = 1.0
"""How far outside the floor plan people still have a position: their feet are only about where they are seen."""
LEAST_DEPTH = 1e-9
"""Points of the picture at or beyond the horizon have less than this depth; that of the four points is about 1."""


class Plane:
    """The floor that a camera sees in pictures of one size."""

    def __init__(self, ground: GroundSettings, size_px: tuple[int, int]) -> None:
        """`size_px` is (width, height) of the picture in pixels of the source."""
        self._scale = np.array(size_px, np.float64)
        points = np.array(ground.points) / (1.0 if ground.in_fractions else self._scale)
        metres = np.array(ground.metres)
        self._floor_size_m = ground.floor_size_m
        # Solved about the middle of the floor and in its size: else metres far from the origin would lose digits.
        self._middle = metres.mean(axis=0)
        self._unit = float(np.abs(metres - self._middle).max())
        self._matrix = _homography(points, (metres - self._middle) / self._unit)

    def positions_m(self, points_px: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return where points (N, 2) of the picture are on the floor, (N, 2) in metres, and the metres of a pixel (N,).

        The latter are for the direction in which a pixel is longest, away from the camera. Both are not a number for
        points beyond the horizon, too near to it, or outside the floor plan.
        """
        at = np.column_stack([points_px / self._scale, np.ones(len(points_px))]) @ self._matrix.T
        depth = np.where(at[:, 2] > LEAST_DEPTH, at[:, 2], np.nan)
        floor = at[:, :2] / depth[:, None]
        slopes = (self._matrix[:2, :2] - floor[:, :, None] * self._matrix[2, :2]) / depth[:, None, None]
        per_px = _longest(slopes * self._unit / self._scale)
        metres = floor * self._unit + self._middle
        known = per_px <= COARSEST_M
        if self._floor_size_m is not None:
            inside = (metres >= -OUTSIDE_M) & (metres <= np.array(self._floor_size_m) + OUTSIDE_M)
            known &= inside.all(axis=1)
        metres[~known], per_px[~known] = np.nan, np.nan
        return metres, per_px


def _homography(points: Float64Array, floor: Float64Array) -> Float64Array:
    """Return the matrix (3, 3) that maps four points to four others; the depth of the points is positive."""
    rows = []
    for (x, y), (u, v) in zip(points.tolist(), floor.tolist(), strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    # The null vector, not a solution for the last element 1: the horizon may go through the picture's corner.
    matrix: Float64Array = np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3)
    depths = np.column_stack([points, np.ones(4)]) @ matrix[2]
    scaled: Float64Array = matrix / depths.mean()
    return scaled


def _longest(slopes: Float64Array) -> Float64Array:
    """Return the largest singular value (N,) of each matrix (N, 2, 2)."""
    squares = (slopes**2).sum(axis=(1, 2))
    determinant = slopes[:, 0, 0] * slopes[:, 1, 1] - slopes[:, 0, 1] * slopes[:, 1, 0]
    longest: Float64Array = np.sqrt((squares + np.sqrt(np.maximum(squares**2 - 4 * determinant**2, 0.0))) / 2)
    return longest
