"""The engine `bright`: it takes what is bright for one person. A real one computes a network on its own device."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from workers.detections import Detections, Head, ImageArray
from workers.engines.base import Engine
from workers.engines.spec import EngineRequest, EngineSpec
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox

THRESHOLD = 200
KEYPOINTS = 17
"""In the order of COCO. Those without confidence are not used by the tracker."""


class BrightEngine:
    """Answers at once, in the calling thread. An engine with a queue returns futures that are done later."""

    name, device = "bright", "cpu"
    batch, in_flight = 1, 1

    def __init__(self, request: EngineRequest) -> None:
        self.precision = request.precision
        # Where a network's output is read by posebus, this describes it; here only the stride counts.
        self.head = Head(classes=1, keypoints=KEYPOINTS, keypoint_dims=3, end_to_end=False, stride=32)

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        """Decode the picture, and bring it into the network's input; many threads call this."""
        return fit.apply(picture.rgb(fit.resized_px))

    def submit(self, prepared: Sequence[ImageArray], *, low_latency: bool = False) -> Future[list[Detections]]:
        """Detect people in up to `batch` inputs; boxes are in pixels of the input."""
        done: Future[list[Detections]] = Future()
        done.set_result([detect(image_rgb) for image_rgb in prepared])
        return done

    def close(self) -> None:
        """There is nothing to release."""


def detect(image_rgb: ImageArray) -> Detections:
    """Return the bounding box of all bright pixels of an (H, W, 3) picture, if there are any."""
    rows, columns = np.nonzero(image_rgb.min(axis=2) > THRESHOLD)
    number = 1 if len(rows) else 0
    boxes = np.zeros((number, 4), np.float32)
    if number:
        boxes[0] = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return Detections(boxes, np.full(number, 0.9, np.float32), np.zeros((number, KEYPOINTS, 3), np.float32))


def build(request: EngineRequest) -> Engine:
    """Build the engine; raise EngineError with a sentence where it cannot work on this machine."""
    return BrightEngine(request)


SPEC = EngineSpec(name="bright", module="numpy", build=build, precisions=lambda device: ("fp32",), install="numpy")
