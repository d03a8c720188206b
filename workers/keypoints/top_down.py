"""Two stages: boxes by one network, the keypoints of each by another that sees one person at a time ("top-down")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from posebus.arrays import Float32Array
from workers.detections import Detections, ImageArray
from workers.keypoints.crops import Crop, RowsOfInput
from workers.keypoints.model import KEYPOINTS, KeypointModel
from workers.keypoints.second_look import Looked


class TopDown:
    """`SecondLook` by a top-down network, at everybody."""

    name = "keypoints"
    keypoints = KEYPOINTS

    def __init__(self, model: KeypointModel) -> None:
        self._model = model

    def improve(self, frames: Sequence[Looked]) -> list[Detections]:
        """See `SecondLook.improve`; the first network's keypoints, if it has any, are not used."""
        return [self._one(frame) for frame in frames]

    def close(self) -> None:
        """See `SecondLook.close`: sessions of ONNX Runtime end with their last user."""

    def _one(self, frame: Looked) -> Detections:
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
