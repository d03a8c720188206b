"""The letterbox: fits a picture into the network's input, and maps coordinates back to the source's pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from posebus.arrays import Float32Array
from workers.detections import Detections, ImageArray

PADDING = 114
"""Grey level of the letterbox's bars; the networks were trained with it."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was fitted into the network's input.

    The picture of `image_size_px` was resized to `resized_px` and stands at `offset_px` (left, top) in an input of
    `input_px`; all are (width, height) or (x, y).
    """

    image_size_px: tuple[int, int]
    resized_px: tuple[int, int]
    offset_px: tuple[int, int]
    input_px: tuple[int, int]

    @classmethod
    def fit(cls, image_size_px: tuple[int, int], imgsz: int, stride: int = 32) -> Letterbox:
        """Return the letterbox that scales the longest side to `imgsz` and pads both sides to multiples of `stride`.

        The picture is centred. The arithmetic is that of ultralytics' LetterBox(auto=True), down to its rounding.
        """
        width_px, height_px = image_size_px
        # An `imgsz` that the network cannot take is rounded up, as ultralytics does.
        longest_px = -(-imgsz // stride) * stride
        ratio = min(longest_px / height_px, longest_px / width_px)
        resized_px = max(round(width_px * ratio), 1), max(round(height_px * ratio), 1)
        bars_px = tuple((longest_px - side) % stride for side in resized_px)
        return cls(
            image_size_px=image_size_px,
            resized_px=resized_px,
            offset_px=(round(bars_px[0] / 2 - 0.1), round(bars_px[1] / 2 - 0.1)),
            input_px=(resized_px[0] + bars_px[0], resized_px[1] + bars_px[1]),
        )

    def apply(self, image_rgb: ImageArray) -> ImageArray:
        """Return the network's input for `image_rgb`, u8 (H, W, 3); the picture itself where nothing has to change.

        `image_rgb` may have been decoded to less than `image_size_px` (see `Picture.rgb`).
        """
        if self.resized_px != (image_rgb.shape[1], image_rgb.shape[0]):
            image_rgb = cv2.resize(image_rgb, self.resized_px, interpolation=cv2.INTER_LINEAR)
        left, top = self.offset_px
        right = self.input_px[0] - self.resized_px[0] - left
        bottom = self.input_px[1] - self.resized_px[1] - top
        if left or top or right or bottom:
            grey = (PADDING, PADDING, PADDING)
            image_rgb = cv2.copyMakeBorder(image_rgb, top, bottom, left, right, cv2.BORDER_CONSTANT, value=grey)
        return image_rgb

    def points_to_source(self, points_px: Float32Array, source_size_px: tuple[int, int]) -> Float32Array:
        """Return points (..., 2) of the input in pixels of the source, clipped to it, as a new float32 array.

        `source_size_px` (width, height) differs from the picture's where ingest reduced it before sending.
        """
        offset, scale, size = _way_back(self, source_size_px)
        moved: Float32Array = points_px - offset
        moved *= scale
        np.maximum(moved, 0, out=moved)
        return np.minimum(moved, size, out=moved)

    def people_to_source(self, people: Detections, source_size_px: tuple[int, int]) -> Detections:
        """Return `people`, given in pixels of the input, in pixels of the source, clipped to it."""
        boxes = self.points_to_source(people.boxes_xyxy_px.reshape(-1, 2, 2), source_size_px).reshape(-1, 4)
        keypoints = people.keypoints_px.copy()
        keypoints[..., :2] = self.points_to_source(keypoints[..., :2], source_size_px)
        masks = people.masks
        if masks is not None:
            masks = tuple(self.points_to_source(mask, source_size_px) for mask in masks)
        return Detections(boxes_xyxy_px=boxes, scores=people.scores, keypoints_px=keypoints, masks=masks)


@lru_cache(maxsize=256)
def _way_back(fit: Letterbox, source_size_px: tuple[int, int]) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Return the offset to subtract from input pixels, the factor to multiply with and the source's size, (2,) each."""
    size = np.array(source_size_px, np.float32)
    scale = np.divide(size, np.array(fit.resized_px, np.float32), dtype=np.float32)
    return np.array(fit.offset_px, np.float32), scale, size
