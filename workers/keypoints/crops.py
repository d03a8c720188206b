"""Crops of fixed size around people, and mapping coordinates between crop, picture and network input."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from posebus.arrays import Float32Array
from workers.detections import Detections, ImageArray
from workers.images.preprocess import PADDING, Letterbox

CONTEXT = 1.25
"""A crop is this many times as large as the box, as top-down networks are trained (Xiao et al., "Simple Baselines",
ECCV 2018, and HRNet and MMPose after them)."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A crop of `size_px` (width, height); point p of the picture is at (p - origin_px) * scale in it."""

    origin_px: tuple[float, float]
    scale: float
    size_px: tuple[int, int]

    @classmethod
    def around(cls, box_xyxy_px: Float32Array, size_px: tuple[int, int], context: float = CONTEXT) -> Crop:
        """Return a crop centred on the box (4,), `context` times as large as the box along its tighter side.

        The aspect ratio of the picture is kept. An empty box counts as one of a pixel.
        """
        left, top, right, bottom = (float(side) for side in box_xyxy_px)
        width_px, height_px = size_px
        scale = min(width_px / max(right - left, 1.0), height_px / max(bottom - top, 1.0)) / context
        origin_px = (left + right - width_px / scale) / 2, (top + bottom - height_px / scale) / 2
        return cls(origin_px, scale, size_px)

    def cut(self, rows_rgb: ImageArray, *, centres: bool = True) -> ImageArray:
        """Return the crop of the picture u8 (H, W, 3) as a new array, grey outside the picture.

        Two conventions are in use for the position of pixel i. With `centres` its middle is at i + 0.5, as in OpenCV's
        resize, the letterbox and ultralytics' training; without, it is at i, as in HRNet and MMPose.
        """
        # Linear interpolation reads four pixels; a crop that shrinks would leave most of the picture's pixels out.
        finer = max(1, int(1 / self.scale))
        scale = self.scale * finer
        shift = 0.5 * (scale - 1) if centres else 0.5 * (finer - 1)
        x, y = (shift - scale * origin for origin in self.origin_px)
        there = np.array(((scale, 0.0, x), (0.0, scale, y)))
        size_px = self.size_px[0] * finer, self.size_px[1] * finer
        grey = (PADDING, PADDING, PADDING)
        cut: ImageArray = cv2.warpAffine(rows_rgb, there, size_px, flags=cv2.INTER_LINEAR, borderValue=grey)
        return cut if finer == 1 else cv2.resize(cut, self.size_px, interpolation=cv2.INTER_AREA)

    def points_to_picture(self, points_px: Float32Array) -> Float32Array:
        """Return points (..., 2) of the crop in pixels of the picture, as a new float32 array."""
        moved: Float32Array = points_px / np.float32(self.scale) + np.array(self.origin_px, np.float32)
        return moved


class RowsOfInput:
    """The rows of a picture, u8 (H, W, 3) as decoded, and the mapping between them and the network's input."""

    def __init__(self, rows_rgb: ImageArray, fit: Letterbox) -> None:
        self.rows_rgb = rows_rgb
        size_px = np.array((rows_rgb.shape[1], rows_rgb.shape[0]), np.float32)
        self._offset_px = np.array(fit.offset_px, np.float32)
        self._scale = size_px / np.array(fit.resized_px, np.float32)

    @property
    def per_input_px(self) -> float:
        """Rows of the picture per pixel of the network's input (columns: the same but for rounding)."""
        return float(self._scale[1])

    def from_input(self, points_px: Float32Array) -> Float32Array:
        """Return points (..., 2) of the network's input in pixels of the rows."""
        moved: Float32Array = np.multiply(points_px - self._offset_px, self._scale, dtype=np.float32)
        return moved

    def to_input(self, points_px: Float32Array) -> Float32Array:
        """Return points (..., 2) of the rows in pixels of the network's input."""
        moved: Float32Array = np.divide(points_px, self._scale, dtype=np.float32) + self._offset_px
        return moved

    def boxes_of(self, people: Detections) -> Float32Array:
        """Return the boxes (N, 4) of people, given in pixels of the network's input, in pixels of the rows."""
        return self.from_input(people.boxes_xyxy_px.reshape(-1, 2, 2)).reshape(-1, 4)
