"""Top-down keypoints: one network detects the boxes, another one computes the keypoints of each person on a crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from posebus.arrays import Float32Array
from workers.detections import Detections, ImageArray
from workers.keypoints.crop_engine import DetectedFrame
from workers.keypoints.crops import Crop, RowsOfInput
from workers.keypoints.model import KEYPOINTS, KeypointModel


class TopDown:
    """`CropKeypoints` by a top-down network, for all people."""

    name = "keypoints"
    keypoints = KEYPOINTS

    def __init__(self, model: KeypointModel) -> None:
        self._model = model

    def recompute(self, frames: Sequence[DetectedFrame]) -> list[Detections]:
        """See `CropKeypoints.recompute`; keypoints of the first network, if it has any, are not used."""
        return [self._one(frame) for frame in frames]

    def close(self) -> None:
        """See `CropKeypoints.close`: a session of ONNX Runtime ends with its last reference."""

    def _one(self, frame: DetectedFrame) -> Detections:
        people = frame.people
        keypoints: Float32Array = np.empty((len(people.scores), KEYPOINTS, 3), np.float32)
        if len(people.scores):
            rows = RowsOfInput(frame.picture.full_rgb(), frame.fit)
            crops = [Crop.around(box, self._model.input_px) for box in rows.boxes_of(people)]
            cuts: list[ImageArray] = [crop.cut(rows.rows_rgb, centres=False) for crop in crops]
            keypoints[:] = self._model.keypoints(cuts)
            for crop, found in zip(crops, keypoints, strict=True):
                found[:, :2] = rows.to_input(crop.points_to_picture(found[:, :2]))
        return replace(people, keypoints_px=keypoints)
