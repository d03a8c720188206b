"""The synthetic detections of one frame, and non-maximum suppression as a network's post-processing does it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float64Array
from posebus.boxes import iou_matrix

LOWEST_SCORE = 0.05
"""The same as in `benchmarks.common.clips`."""

NMS_IOU = 0.7
"""The IoU above which the weaker of two boxes is suppressed: ultralytics' default."""


@dataclass(frozen=True, slots=True)
class SyntheticDetections:
    """boxes_px: (N, 4) left, top, right, bottom; scores: (N,); joints_px: (N, 17, 3) x, y, confidence."""

    boxes_px: Float64Array
    scores: Float64Array
    joints_px: Float64Array

    def select(self, rows: npt.NDArray[np.intp]) -> SyntheticDetections:
        """The detections of the given rows."""
        return SyntheticDetections(self.boxes_px[rows], self.scores[rows], self.joints_px[rows])

    def joined(self, other: SyntheticDetections) -> SyntheticDetections:
        """These detections and the others."""
        return SyntheticDetections(
            np.concatenate([self.boxes_px, other.boxes_px]),
            np.concatenate([self.scores, other.scores]),
            np.concatenate([self.joints_px, other.joints_px]),
        )

    def published(self, size_px: tuple[int, int]) -> SyntheticDetections:
        """The detections clipped to the picture, best score first, after non-maximum suppression."""
        boxes = np.clip(self.boxes_px, 0, np.tile(size_px, 2))
        wide, high = (boxes[:, 2:] - boxes[:, :2]).T
        usable = np.flatnonzero((self.scores >= LOWEST_SCORE) & (wide > 1) & (high > 1))
        order = usable[np.argsort(-self.scores[usable], kind="stable")]
        overlap = iou_matrix(boxes[order], boxes[order])
        kept: list[int] = []
        for place in range(len(order)):
            if not (overlap[place, kept] > NMS_IOU).any():
                kept.append(place)
        rows = order[kept]
        joints = self.joints_px[rows]
        joints[..., :2] = np.clip(joints[..., :2], 0, size_px)
        return SyntheticDetections(boxes[rows], self.scores[rows], joints)
