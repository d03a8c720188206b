"""Pictures in, people in source pixels out, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from posebus.settings import WorkerSettings
from workers.engines.base import Engine, FloatArray, ImageArray
from workers.postprocess import Detections, detections_from_output
from workers.preprocess import Letterbox


class Pending:
    """A submission under way. `future` is the engine's, for `concurrent.futures.wait` over several of them.

    Suppression runs in the thread that asks for the result: inside the engine's thread it would hold up the network.
    """

    __slots__ = ("_estimator", "_fits", "_sizes_px", "future")

    def __init__(
        self,
        estimator: PoseEstimator,
        future: Future[FloatArray],
        fits: Sequence[Letterbox],
        source_sizes_px: Sequence[tuple[int, int]],
    ) -> None:
        self.future = future
        self._estimator = estimator
        self._fits = fits
        self._sizes_px = source_sizes_px

    def done(self) -> bool:
        """Whether `result` returns without waiting for the engine."""
        return self.future.done()

    def result(self, timeout_s: float | None = None) -> list[Detections]:
        """The people of each submitted picture, in its source's pixels.

        Raises TimeoutError after `timeout_s`, and what the engine raised.
        """
        outputs = self.future.result(timeout_s)
        return [
            self._estimator.people(output, fit, size_px)
            for output, fit, size_px in zip(outputs, self._fits, self._sizes_px, strict=True)
        ]


class PoseEstimator:
    """Letterbox, inference and suppression with one engine. One thread submits."""

    def __init__(self, engine: Engine, settings: WorkerSettings) -> None:
        self.engine = engine
        self._settings = settings

    def fit(self, image_size_px: tuple[int, int]) -> Letterbox:
        """How a picture of this (width, height) enters the network; pictures of equal `input_px` share a batch."""
        return Letterbox.fit(image_size_px, self._settings.imgsz, self.engine.head.stride)

    def submit(self, images_rgb: Sequence[ImageArray], source_sizes_px: Sequence[tuple[int, int]]) -> Pending:
        """Queue decoded pictures, u8 (H, W, 3), at most `engine.batch`, all of the same `fit(…).input_px`.

        `source_sizes_px` are (width, height) of the frames that the results refer to. Raises EngineError.
        """
        fits = [self.fit((image.shape[1], image.shape[0])) for image in images_rgb]
        inputs = [fit.apply(image) for fit, image in zip(fits, images_rgb, strict=True)]
        batch = np.ascontiguousarray(inputs[0][None] if len(inputs) == 1 else np.stack(inputs))
        return Pending(self, self.engine.submit(batch), fits, source_sizes_px)

    def estimate(self, image_rgb: ImageArray) -> Detections:
        """The people in one picture, u8 (H, W, 3), in its own pixels."""
        return self.submit([image_rgb], [(image_rgb.shape[1], image_rgb.shape[0])]).result()[0]

    def warm_up(self, image_size_px: tuple[int, int]) -> None:
        """Set the engine up for pictures of this (width, height), which takes a moment for each new shape."""
        width_px, height_px = image_size_px
        self.estimate(np.zeros((height_px, width_px, 3), np.uint8))

    def people(self, output: FloatArray, fit: Letterbox, source_size_px: tuple[int, int]) -> Detections:
        """One frame's raw output as people in source pixels."""
        found = detections_from_output(
            output,
            self.engine.head,
            conf=self._settings.conf,
            iou=self._settings.iou,
            max_people=self._settings.max_people,
        )
        boxes, keypoints = fit.to_source(found.boxes_xyxy_px, found.keypoints_px, source_size_px)
        return Detections(boxes_xyxy_px=boxes, scores=found.scores, keypoints_px=keypoints)
