"""Two networks on the same input: a pose network detects people, a segmentation network outlines them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import numpy as np

from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from workers.detections import Detections
from workers.engines.base import Engine
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox

MATCH_IOU = 0.5
"""Boxes of both networks with a lower IoU are not of the same person."""


class MaskingEngine:
    """An `Engine` of two others of one kind, which take the same prepared pictures.

    `poses` detects the people and `outlines` their masks. A person that only `poses` detects has no outline.
    """

    def __init__(self, poses: Engine, outlines: Engine) -> None:
        self._poses = poses
        self._outlines = outlines
        self.name = poses.name
        self.precision = poses.precision
        self.device = poses.device
        self.batch = poses.batch
        self.in_flight = poses.in_flight
        self.head = replace(poses.head, stride=math.lcm(poses.head.stride, outlines.head.stride))

    def prepare(self, picture: Picture, fit: Letterbox) -> Any:
        """See `Engine.prepare`; the result serves both networks."""
        return self._poses.prepare(picture, fit)

    def submit(self, prepared: Sequence[Any], *, low_latency: bool = False) -> Future[list[Detections]]:
        """See `Engine.submit`."""
        poses = self._poses.submit(prepared, low_latency=low_latency)
        outlines = self._outlines.submit(prepared, low_latency=low_latency)
        both: Future[list[Detections]] = Future()

        def combine(_: Future[list[Detections]]) -> None:
            """Runs in the thread of the network that finishes last."""
            try:
                pairs = zip(poses.result(), outlines.result(), strict=True)
                both.set_result([with_masks(people, outlined) for people, outlined in pairs])
            except Exception as error:  # noqa: BLE001 - any error must reach the caller who waits, and not the engine
                both.set_exception(error)

        poses.add_done_callback(lambda _: outlines.add_done_callback(combine))
        return both

    def close(self) -> None:
        """See `Engine.close`."""
        self._poses.close()
        self._outlines.close()


def with_masks(people: Detections, outlined: Detections) -> Detections:
    """Return `people` with the masks of the `outlined` whose boxes match; an empty mask (0, 2) for the others.

    Both are in the same pixels. Boxes are matched one to one, the pair with the largest overlap first.
    """
    masks: list[Float32Array] = [np.zeros((0, 2), np.float32)] * len(people.scores)
    if outlined.masks is not None:
        ratio = iou_matrix(people.boxes_xyxy_px, outlined.boxes_xyxy_px)
        rows, columns = np.nonzero(ratio >= MATCH_IOU)
        free = set(range(len(masks)))
        unused = set(range(len(outlined.masks)))
        for pair in np.argsort(-ratio[rows, columns], kind="stable"):
            row, column = int(rows[pair]), int(columns[pair])
            if row in free and column in unused:
                masks[row] = outlined.masks[column]
                free.remove(row)
                unused.remove(column)
    return replace(people, masks=tuple(masks))
