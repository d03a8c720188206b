"""A reference picture, small and grey, and the map from it to another one. Pure.

Corners of the kept picture, one in each cell of a grid, are found again by J.-Y. Bouguet's "Pyramidal implementation of
the Lucas Kanade feature tracker", Intel 2000, in the other picture laid over the kept one as it was expected.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np

from ingest.camera_motion.geometry import laid_over
from ingest.camera_motion.similarity import fit_similarity
from posebus.arrays import BoolArray, Float32Array, Float64Array, UInt8Array

CELLS = 14
"""Cells of the grid along the longer side."""
LEAST_CELL_PX = 6
LEAST_CONTRAST = 2.0
"""A cell has texture if its brightness changes by this many levels (of 255) from pixel to pixel, in every direction."""
WINDOW_PX = 9
LEVELS = 3
STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
TOLERANCE_PX = 0.7
"""Corners are found again within this distance; ..."""
TOLERANCE_SHARE = 0.05
"""... and this part of the motion: no camera's picture moves exactly as a similarity."""
LEAST_CORNERS = 8
LEAST_SHARE = 0.12
"""This part of the corners that are still in the picture has to agree."""
STILL_PX = 0.25
"""A cell is still if a shift of less than this explains its change, and ..."""
CHANGED_SHARE = 0.35
"""... less than this part of its contrast has changed otherwise."""
MAX_GAIN = 3.0
"""Between two pictures of the same view, contrast changes by no more, or little can be seen in one of them."""
SAME_LEVELS = 5.0
ALIKE = 0.5
"""Correlation of two patterns of cells; between a hundred cells of different views it is below 0.4."""
MAX_ZOOM = 1.6
"""From one picture to the next; corners of another scale are not found again."""
SURE_SHARE = 0.35
NEAR_PX = 1.0
"""If fewer corners agree, what lies over each other has to look the same, but for this many pixels."""
STILL_SHARE = 0.25
"""If this part of the textured cells has not moved, neither has the camera: it would move all but what is written into
the picture."""
STILL_BONUS = 1.5
TRACE_SHARE = 0.05
LEAST_TRACES = 4
"""People, a truck or a hand in front of the view may also leave only this share of it."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """`to_picture` (3, 3) maps pixels of the kept picture to the other one; `share` of the corners in view agree."""

    to_picture: Float64Array
    share: float


class Unmoved(NamedTuple):
    """The part of the textured cells that are still, and their mean shift."""

    share: float
    drift_px: float


NOTHING = Unmoved(0.0, 0.0)


class Reference:
    """The kept picture `grey` (H, W)."""

    def __init__(self, grey: UInt8Array) -> None:
        self.grey = grey
        height, width = grey.shape
        self._cell = max(LEAST_CELL_PX, round(max(width, height) / CELLS))
        (level,), (spread,) = (values.ravel() for values in cv2.meanStdDev(grey))
        self._level, self._spread = float(level), max(1.0, float(spread))
        self._grid = width // self._cell, height // self._cell
        self.textured: BoolArray = np.zeros(self._grid[::-1], np.bool_)
        self.corners: Float32Array = np.zeros((0, 2), np.float32)
        if self.textured.size:
            self._prepare(grey)

    def _prepare(self, grey: UInt8Array) -> None:
        smooth: Any = cv2.GaussianBlur(grey, (3, 3), 0)
        gx: Any = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32)
        gy: Any = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32)
        self._gx, self._gy = gx, gy
        self._mean_gx, self._mean_gy = self._cells(gx), self._cells(gy)
        xx, xy, yy = gx * gx, gx * gy, gy * gy
        self._xx = self._cells(xx) - self._mean_gx**2
        self._xy = self._cells(xy) - self._mean_gx * self._mean_gy
        self._yy = self._cells(yy) - self._mean_gy**2
        self._bright: Float32Array = grey.astype(np.float32)
        self._mean = self._cells(self._bright)
        self._variance = self._cells(self._bright * self._bright) - self._mean**2
        self._x_own = self._cells(gx * self._bright) - self._mean_gx * self._mean
        self._y_own = self._cells(gy * self._bright) - self._mean_gy * self._mean
        self._determinant = np.maximum(self._xx * self._yy - self._xy**2, 1e-3)
        least = 0.5 * (self._xx + self._yy) - np.sqrt(0.25 * (self._xx - self._yy) ** 2 + self._xy**2)
        self.textured = np.asarray(least >= LEAST_CONTRAST**2, np.bool_)
        self.corners = self._corners(xx, xy, yy)

    @cached_property
    def text(self) -> str:
        """The picture in base64. Only checkpoints of recordings need it, not live cameras."""
        return base64.b64encode(self.grey.tobytes()).decode()

    @property
    def has_texture(self) -> bool:
        """Whether another picture could be recognised as the same place, or as another one."""
        return self.detail >= LEAST_CORNERS

    @property
    def detail(self) -> int:
        """The number of cells with texture."""
        return int(np.count_nonzero(self.textured))

    def unmoved(self, grey: UInt8Array, within_px: float = STILL_PX) -> Unmoved:
        """Return the textured cells in which `grey`, of the same size, shows the same at the same place.

        The shift of each cell is one step of B. D. Lucas and T. Kanade, "An iterative image registration technique",
        IJCAI 1981. A change of its brightness, or of its contrast, is none.
        """
        count = self.detail
        if count < LEAST_TRACES:
            return NOTHING
        bright: Float32Array = grey.astype(np.float32)
        mean = self._cells(bright)
        variance = self._cells(bright * bright) - mean * mean
        common = self._cells(bright * self._bright) - mean * self._mean
        gain = np.clip(common / np.maximum(self._variance, 1e-3), 1 / MAX_GAIN, MAX_GAIN)
        along_x = (self._cells(self._gx * bright) - self._mean_gx * mean) / gain - self._x_own
        along_y = (self._cells(self._gy * bright) - self._mean_gy * mean) / gain - self._y_own
        dx = (self._yy * along_x - self._xy * along_y) / self._determinant
        dy = (self._xx * along_y - self._xy * along_x) / self._determinant
        alike = common * common >= (1.0 - CHANGED_SHARE) * variance * self._variance
        same = (dx * dx + dy * dy <= within_px**2) & alike & (common > 0.0) & self.textured
        traces = int(np.count_nonzero(same))
        if traces < LEAST_TRACES:
            return NOTHING
        return Unmoved(traces / count, math.hypot(float(dx[same].mean()), float(dy[same].mean())))

    def resembles(self, grey: UInt8Array, expected: Float64Array) -> bool:
        """Return whether `grey` may show the same view without its details: out of focus, or smeared."""
        if min(self._grid) < 3:
            return False
        kept, other = _pattern(self._mean), _pattern(self._cells(laid_over(grey, expected, self.grey)))
        size = math.sqrt(float((kept * kept).sum() * (other * other).sum()))
        return float((kept * other).sum()) >= ALIKE * max(size, 1e-6)

    def align(self, grey: UInt8Array, expected: Float64Array, *, nearly: bool = False) -> Alignment | None:
        """Return how `grey` lies over the kept picture, near `expected` (3, 3); None if that cannot be seen.

        `nearly` is whether only a small correction is left to find.
        """
        if len(self.corners) < LEAST_CORNERS:
            return None
        laid = self._exposed(laid_over(grey, expected, self.grey))
        inside = _inside(self.corners, expected, grey.shape)
        corners = self.corners[inside]
        if len(corners) < LEAST_CORNERS:
            return None
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            self.grey,
            laid,
            corners,
            None,
            winSize=(WINDOW_PX, WINDOW_PX),
            maxLevel=1 if nearly else LEVELS,
            criteria=STEPS,
        )
        again = status.ravel() == 1
        before = corners[again].astype(np.float64).view(np.complex128).ravel()
        after = found.reshape(-1, 2)[again].astype(np.float64).view(np.complex128).ravel()
        if len(before) < LEAST_CORNERS:
            return None
        motion_px = float(np.median(np.abs(after - before)))
        tolerance_px = TOLERANCE_PX + TOLERANCE_SHARE * motion_px
        fit = fit_similarity(before, after, tolerance_px, still_bonus=None if nearly else STILL_BONUS)
        if fit is None:
            return None
        if not 1 / MAX_ZOOM <= abs(fit.factor) <= MAX_ZOOM:
            return None
        moved = expected @ _matrix(fit.factor, fit.shift)
        seen = int(np.count_nonzero(_inside(corners, moved, grey.shape)))
        agreeing = int(np.count_nonzero(fit.points))
        if agreeing < LEAST_CORNERS or agreeing < LEAST_SHARE * seen:
            return None
        if (
            agreeing < SURE_SHARE * seen
            and self.unmoved(laid_over(grey, moved, self.grey), NEAR_PX).share < TRACE_SHARE
        ):
            return None
        return Alignment(moved, min(1.0, agreeing / max(1, seen)))

    def _exposed(self, laid: UInt8Array) -> UInt8Array:
        """Return `laid` with the brightness and contrast of the kept picture: corners are found again by them."""
        (mean,), (spread,) = (values.ravel() for values in cv2.meanStdDev(laid))
        gain = min(MAX_GAIN, max(1 / MAX_GAIN, self._spread / max(1.0, float(spread))))
        if abs(gain - 1.0) < 0.1 and abs(float(mean) - self._level) < SAME_LEVELS:
            return laid
        return np.asarray(cv2.addWeighted(laid, gain, laid, 0.0, self._level - gain * float(mean)), np.uint8)

    def _cells(self, values: Float32Array | UInt8Array) -> Float32Array:
        """Return the mean of `values` (H, W) in each cell (down, across)."""
        across, down = self._grid
        kept = values[: down * self._cell, : across * self._cell]
        means: Any = cv2.resize(kept, (across, down), interpolation=cv2.INTER_AREA)
        return np.asarray(means, np.float32).reshape(down, across)

    def _corners(self, *products: Float32Array) -> Float32Array:
        """Return the best corner of each cell that has one, (N, 2) rows of x, y.

        `products` (H, W) are those of the gradients: in x squared, of both, in y squared.
        """
        xx, xy, yy = (np.asarray(cv2.boxFilter(product, -1, (5, 5)), np.float32) for product in products)
        least: Float32Array = 0.5 * (xx + yy) - np.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
        across, down = self._grid
        cell = self._cell
        blocks = least[: down * cell, : across * cell].reshape(down, cell, across, cell).swapaxes(1, 2)
        flat = blocks.reshape(down * across, cell * cell)
        best = flat.argmax(axis=1)
        rows, columns = np.divmod(np.arange(down * across), across)
        points = np.stack((columns * cell + best % cell, rows * cell + best // cell), axis=1).astype(np.float32)
        strong = flat[np.arange(len(best)), best] >= LEAST_CONTRAST**2
        return np.ascontiguousarray(points[strong])


def _pattern(means: Float32Array) -> Float32Array:
    """Return by how much each cell is brighter than those around it."""
    around: Any = cv2.blur(means.astype(np.float32), (3, 3))
    return np.asarray(means - around, np.float32)


def _matrix(factor: complex, shift: complex) -> Float64Array:
    return np.array(
        ((factor.real, -factor.imag, shift.real), (factor.imag, factor.real, shift.imag), (0.0, 0.0, 1.0)), np.float64
    )


def _inside(points: Float32Array, matrix: Float64Array, shape: tuple[int, ...]) -> BoolArray:
    """Return which `points` (N, 2) the `matrix` (3, 3) moves to pixels of a picture of `shape` (H, W)."""
    (a, b, c), (d, e, f), _ = matrix.tolist()
    x, y = points[:, 0], points[:, 1]
    moved_x, moved_y = a * x + b * y + c, d * x + e * y + f
    within = (moved_x >= 0) & (moved_x <= shape[1] - 1) & (moved_y >= 0) & (moved_y <= shape[0] - 1)
    return np.asarray(within, np.bool_)
