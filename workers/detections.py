"""Array types of the workers, and what a network found in one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float32Array

ImageArray = npt.NDArray[np.uint8]
"""(H, W, 3) RGB, C-contiguous, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Detections:
    """The people in one picture, best first: boxes (N, 4), scores (N,), keypoints (N, K, 3) as x, y, confidence.

    `masks`, where a second network outlines people: N polygons (M, 2), (0, 2) for whom it did not see; see
    `PoseFrame.masks`. float32 and C-contiguous. The frame of the coordinates is said where the object is handed out.
    """

    boxes_xyxy_px: Float32Array
    scores: Float32Array
    keypoints_px: Float32Array
    masks: tuple[Float32Array, ...] | None = None
