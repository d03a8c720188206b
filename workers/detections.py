"""The people that a network detects in one picture, the layout of its output, and the thresholds applied to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float32Array

ImageArray = npt.NDArray[np.uint8]
"""(H, W, 3) RGB, C-contiguous, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Detections:
    """The people in one picture, best score first; all arrays are float32 and C-contiguous.

    boxes_xyxy_px: (N, 4) left, top, right, bottom. scores: (N,). keypoints_px: (N, K, 3) x, y, confidence.
    masks: None without a segmentation network, else N polygons (M, 2); (0, 2) where it has none for a person (see
    `PoseFrame.masks`). Each function that returns detections says in which frame their coordinates are.
    """

    boxes_xyxy_px: Float32Array
    scores: Float32Array
    keypoints_px: Float32Array
    masks: tuple[Float32Array, ...] | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The layout of a network's output, all coordinates in pixels of the network's input.

    Dense: (4 + classes + keypoints * dims, anchors) with rows cx, cy, w, h, class scores, keypoints.
    End to end: (rows, 6 + keypoints * dims) with columns x1, y1, x2, y2, score, class, keypoints, best score first.
    `keypoint_dims` is 3 (x, y, confidence) or 2; both sides of the input must be multiples of `stride`.

    `mask_class` is None for a pose network. For a segmentation network it is the number of the class of people; mask
    coefficients then take the place of the keypoints, and the network has prototypes as a second output (see
    `workers.outputs.mask_output`).
    """

    classes: int
    keypoints: int
    keypoint_dims: int
    end_to_end: bool
    stride: int
    mask_class: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Which boxes of a network's output are published as people.

    Scores must exceed `conf`; of boxes that overlap by more than `iou` (intersection over union) the one with the best
    score stays; of those, the best `max_people` are kept.
    """

    conf: float
    iou: float
    max_people: int
