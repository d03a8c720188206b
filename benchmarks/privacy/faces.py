"""Faces in pictures, by a detector that posebus does not use: YuNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from posebus.arrays import Float32Array, UInt8Array

LEAST_SCORE = 0.6
"""Of YuNet; its documentation recommends 0.9 to avoid mistakes, so that more than faces is found here."""
CROP_PX = 256
"""Heads are looked at again in crops that are enlarged to this size: detectors miss faces of few pixels."""


class FaceDetector(Protocol):
    """Finds faces: boxes (N, 4) of x1, y1, x2, y2 in a picture (H, W, 3)."""

    def __call__(self, image_bgr: UInt8Array) -> Float32Array: ...


class YuNet:
    """OpenCV's YuNet, whose model is a file of its own."""

    def __init__(self, model: Path) -> None:
        self._network: Any = cv2.FaceDetectorYN.create(str(model), "", (320, 320), LEAST_SCORE)

    def __call__(self, image_bgr: UInt8Array) -> Float32Array:
        """See `FaceDetector`."""
        self._network.setInputSize((image_bgr.shape[1], image_bgr.shape[0]))
        _, rows = self._network.detect(image_bgr)
        if rows is None:
            return np.zeros((0, 4), np.float32)
        return np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1).astype(np.float32)


def found_by(detect: FaceDetector, image_bgr: UInt8Array, crops: Float32Array) -> Float32Array:
    """Return the faces (N, 4) in a picture, looked for in the whole and in enlarged `crops` (M, 4); one may come twice.

    Both are in pixels of the picture.
    """
    return np.concatenate([detect(image_bgr), *_in_crops(detect, image_bgr, crops)])


def _in_crops(detect: FaceDetector, image_bgr: UInt8Array, crops: Float32Array) -> Iterator[Float32Array]:
    height_px, width_px = image_bgr.shape[:2]
    for left, top, right, bottom in np.clip(crops, 0, (width_px, height_px) * 2).astype(int).tolist():
        if right - left < 4 or bottom - top < 4:
            continue
        scale = CROP_PX / max(right - left, bottom - top)
        size = max(8, round((right - left) * scale)), max(8, round((bottom - top) * scale))
        crop = cv2.resize(image_bgr[top:bottom, left:right], size, interpolation=cv2.INTER_CUBIC)
        yield detect(crop) / scale + np.array([left, top, left, top], np.float32)


def around_heads(boxes_xyxy_px: Float32Array) -> Float32Array:
    """Return crops (N, 4) around the heads of people in boxes (N, 4): the upper part of each with a wide margin."""
    width_px = boxes_xyxy_px[:, 2] - boxes_xyxy_px[:, 0]
    height_px = boxes_xyxy_px[:, 3] - boxes_xyxy_px[:, 1]
    side_px = np.maximum(0.4 * height_px, width_px)
    middle = (boxes_xyxy_px[:, 0] + boxes_xyxy_px[:, 2]) / 2
    top = boxes_xyxy_px[:, 1] - 0.15 * side_px
    crops = [middle - 0.7 * side_px, top, middle + 0.7 * side_px, top + 1.3 * side_px]
    return np.stack(crops, axis=1).astype(np.float32)
