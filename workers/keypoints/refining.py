"""Refine the keypoints of small people: the same network computes them again on enlarged crops.

A pose network errs by a few pixels of its input at any scale; on a person 80 pixels high that is the length of a hand.
On an enlarged crop the same person is three times as high.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np

from posebus.arrays import Float32Array
from workers.detections import Detections, ImageArray
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.keypoints.crop_engine import DetectedFrame, LockedEngine
from workers.keypoints.crops import Crop, RowsOfInput
from workers.keypoints.merging import MIRRORED, KeypointEstimate, matching_keypoints, merge_estimates, unmirrored

CROP_PX = (256, 320)
"""Width and height of a crop; an upright person, with the context around, is 256 pixels high in it. A crop takes a
quarter of the inference time of 640x480."""

MAX_REFINED = 32
"""People refined per frame at most, those with the best scores: a crowd must not hold up a worker for seconds."""


@dataclass(frozen=True, slots=True)
class _SmallPerson:
    """A person to refine: the row in a frame's detections, and the box and its crop, in pixels of the frame's rows."""

    frame: int
    row: int
    rows: RowsOfInput
    box_px: Float32Array
    crop: Crop


class Refiner:
    """`CropKeypoints` for people less than `below_px` high, by the network that detected them.

    Their height counts in the network's input, or in the picture where that has fewer rows, because an enlarged picture
    holds no more detail. With `mirrored` each crop's mirror image is inferred, too, at twice the cost (if the network
    has COCO's 17 keypoints, whose left and right are known).
    """

    name = "refine"

    def __init__(self, inner: LockedEngine, below_px: float, *, mirrored: bool) -> None:
        """Set `inner` up for crops, which takes as long as for any other shape. Raises EngineError."""
        self._inner = inner
        self._below_px = below_px
        head = inner.engine.head
        self.keypoints = head.keypoints
        self._mirrored = mirrored and head.keypoints == len(MIRRORED)
        self._warm_up()

    def recompute(self, frames: Sequence[DetectedFrame]) -> list[Detections]:
        """See `CropKeypoints.recompute`. A person who is not detected again in the crop keeps the first keypoints."""
        chosen = [person for index, frame in enumerate(frames) for person in self._small_people(index, frame)]
        if not chosen:
            return [frame.people for frame in frames]
        crops_rgb = [person.crop.cut(person.rows.rows_rgb) for person in chosen]
        passes = [self._infer(crops_rgb)]
        if self._mirrored:
            mirrors = self._infer([np.ascontiguousarray(crop[:, ::-1]) for crop in crops_rgb])
            passes.append([unmirrored(people, CROP_PX[0]) for people in mirrors])
        keypoints = [frame.people.keypoints_px.copy() for frame in frames]
        for number, person in enumerate(chosen):
            first = keypoints[person.frame][person.row]
            keypoints[person.frame][person.row] = _refined(person, first, [found[number] for found in passes])
        return [replace(frame.people, keypoints_px=better) for frame, better in zip(frames, keypoints, strict=True)]

    def close(self) -> None:
        """See `CropKeypoints.close`: a refiner has no resources of its own."""

    def _small_people(self, index: int, frame: DetectedFrame) -> list[_SmallPerson]:
        heights_px = frame.people.boxes_xyxy_px[:, 3] - frame.people.boxes_xyxy_px[:, 1]
        detail = min(1.0, frame.fit.image_size_px[1] / frame.fit.resized_px[1])
        places = np.flatnonzero(heights_px * detail < self._below_px)[:MAX_REFINED].tolist()
        if not places:
            return []
        # Full resolution may have to be decoded first, so this is done only for frames with small people.
        rows = RowsOfInput(frame.picture.full_rgb(), frame.fit)
        boxes = rows.boxes_of(frame.people)
        return [
            _SmallPerson(frame=index, row=row, rows=rows, box_px=boxes[row], crop=Crop.around(boxes[row], CROP_PX))
            for row in places
        ]

    def _infer(self, crops_rgb: Sequence[ImageArray]) -> list[Detections]:
        """Return the people detected in each crop, in its pixels."""
        engine = self._inner.engine
        fit = Letterbox(CROP_PX, CROP_PX, (0, 0), CROP_PX)
        prepared = [engine.prepare(Picture.of(crop), fit) for crop in crops_rgb]
        futures: list[Future[list[Detections]]] = [
            self._inner.submit(prepared[start : start + engine.batch])
            for start in range(0, len(prepared), engine.batch)
        ]
        return [people for future in futures for people in future.result()]

    def _warm_up(self) -> None:
        blank = np.zeros((CROP_PX[1], CROP_PX[0], 3), np.uint8)
        frames = 1
        while frames < self._inner.engine.batch:
            self._infer([blank] * frames)
            frames *= 2
        self._infer([blank] * self._inner.engine.batch)


def _refined(person: _SmallPerson, keypoints_px: Float32Array, passes: Sequence[Detections]) -> Float32Array:
    """Return the merged keypoints (K, 3) of one person; all are in pixels of the network's input of the whole frame."""
    estimates = [KeypointEstimate(keypoints_px, 1.0)]
    for found in passes:
        boxes = person.crop.points_to_picture(found.boxes_xyxy_px.reshape(-1, 2, 2)).reshape(-1, 4)
        again = matching_keypoints(Detections(boxes, found.scores, found.keypoints_px), person.box_px)
        if again is not None:
            places = person.rows.to_input(person.crop.points_to_picture(again[:, :2]))
            scale = person.crop.scale * person.rows.per_input_px
            estimates.append(KeypointEstimate(np.concatenate((places, again[:, 2:]), axis=1), scale))
    return merge_estimates(estimates)
