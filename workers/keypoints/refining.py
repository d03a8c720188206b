"""Small people once more: the same network on enlarged crops of them.

A pose network errs by a few pixels of its input, whoever it looks at, which on somebody 80 pixels high is the length of
a hand. On an enlarged crop the same person is three times as high.
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
from workers.keypoints.crops import Crop, RowsOfInput
from workers.keypoints.merging import MIRRORED, Look, merge, the_person, unmirrored
from workers.keypoints.second_look import Looked, Serialised

CROP_PX = (256, 320)
"""Width and height of a crop; with its context somebody upright is 256 pixels high in it. One is inferred in a quarter
of the time that 640x480 takes."""

MAX_REFINED = 32
"""People in one frame at most, the surest: a crowd must not hold up a worker for seconds."""


@dataclass(frozen=True, slots=True)
class _Small:
    """Somebody to look at again: which row of which frame, and where, in pixels of its rows."""

    frame: int
    row: int
    rows: RowsOfInput
    box_px: Float32Array
    crop: Crop


class Refiner:
    """`SecondLook` at people less than `below_px` high, by the network that found them.

    Their height counts in the network's input, or in the picture where that has fewer rows: more than that the network
    has not seen of them. With `mirrored` each crop is looked at as in a mirror, too, at twice the price (if the network
    has COCO's 17 keypoints, whose left and right are known).
    """

    name = "refine"

    def __init__(self, inner: Serialised, below_px: float, *, mirrored: bool) -> None:
        """Sets `inner` up for crops, which takes as long as for any other shape. Raises EngineError."""
        self._inner = inner
        self._below_px = below_px
        head = inner.engine.head
        self.keypoints = head.keypoints
        self._mirrored = mirrored and head.keypoints == len(MIRRORED)
        self._warm_up()

    def improve(self, frames: Sequence[Looked]) -> list[Detections]:
        """See `SecondLook.improve`. Where nobody is found in a crop that fills the box, keypoints stay as they are."""
        chosen = [one for index, frame in enumerate(frames) for one in self._small(index, frame)]
        if not chosen:
            return [frame.people for frame in frames]
        cuts = [one.crop.cut(one.rows.rows_rgb) for one in chosen]
        views = [self._infer(cuts)]
        if self._mirrored:
            mirrors = self._infer([np.ascontiguousarray(cut[:, ::-1]) for cut in cuts])
            views.append([unmirrored(people, CROP_PX[0]) for people in mirrors])
        keypoints = [frame.people.keypoints_px.copy() for frame in frames]
        for number, one in enumerate(chosen):
            own = keypoints[one.frame][one.row]
            keypoints[one.frame][one.row] = _refined(one, own, [view[number] for view in views])
        return [replace(frame.people, keypoints_px=better) for frame, better in zip(frames, keypoints, strict=True)]

    def close(self) -> None:
        """See `SecondLook.close`: there is nothing of its own."""

    def _small(self, index: int, frame: Looked) -> list[_Small]:
        heights_px = frame.people.boxes_xyxy_px[:, 3] - frame.people.boxes_xyxy_px[:, 1]
        known = min(1.0, frame.fit.image_size_px[1] / frame.fit.resized_px[1])
        places = np.flatnonzero(heights_px * known < self._below_px)[:MAX_REFINED].tolist()
        if not places:
            return []
        # All rows there are, which may have to be decoded first: for frames with small people alone.
        rows = RowsOfInput(frame.picture.full_rgb(), frame.fit)
        boxes = rows.boxes_of(frame.people)
        return [_Small(index, row, rows, boxes[row], Crop.around(boxes[row], CROP_PX)) for row in places]

    def _infer(self, crops_rgb: Sequence[ImageArray]) -> list[Detections]:
        """Who is in each crop, in its pixels."""
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


def _refined(one: _Small, keypoints_px: Float32Array, views: Sequence[Detections]) -> Float32Array:
    """The keypoints (K, 3) of one person, in pixels of the network's input as the first ones are."""
    looks = [Look(keypoints_px, 1.0)]
    for found in views:
        boxes = one.crop.points_to_picture(found.boxes_xyxy_px.reshape(-1, 2, 2)).reshape(-1, 4)
        seen = the_person(Detections(boxes, found.scores, found.keypoints_px), one.box_px)
        if seen is not None:
            places = one.rows.to_input(one.crop.points_to_picture(seen[:, :2]))
            looks.append(Look(np.concatenate((places, seen[:, 2:]), axis=1), one.crop.scale * one.rows.per_input_px))
    return merge(looks)
