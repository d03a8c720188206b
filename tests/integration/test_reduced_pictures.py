"""Pictures that ingest reduced to the network's size: the same people in the same places as without."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.encoding import encode
from ingest.sources.decoded import DecodedImage, FrameConverter
from ingest.sources.pixels import Image
from posebus.settings import CameraSettings
from tests.integration.conftest import MakeEstimator
from tracking.boxes import iou
from workers.estimator import PoseEstimator
from workers.picture import decode_image

IMGSZ = 640
SETTINGS = CameraSettings(source="x.mp4")
CLEAR_SCORE = 0.3
"""From here on the tracker links detections first."""


def boxes_of(image: Image, max_size_px: int | None, estimator: PoseEstimator) -> tuple[np.ndarray, np.ndarray]:
    """Boxes in pixels of the source, and scores, of what is sent of `image`."""
    encoded = encode(image, SETTINGS, max_size_px)
    found = estimator.estimate(decode_image(encoded.data, encoded.encoding, encoded.image_size_px))
    scale = image.size_px[0] / encoded.image_size_px[0]
    return found.boxes_xyxy_px * scale, found.scores


@pytest.mark.parametrize(
    ("name", "every", "enlarged_px"),
    [
        ("vtest.avi", 40, None),
        ("TUD-Stadtmitte.mp4", 18, (1920, 1440)),
        ("one-by-one-person-detection.mp4", 40, (1920, 1080)),
    ],
)
def test_the_same_people_are_found(
    shared_data: Path, make_estimator: MakeEstimator, name: str, every: int, enlarged_px: tuple[int, int] | None
) -> None:
    estimator = make_estimator(engine="openvino", precision="fp32", imgsz=IMGSZ, conf=0.1)
    converter = FrameConverter()
    wanted = found = 0
    with av.open(str(shared_data / name)) as container:
        for frame in itertools.islice(container.decode(video=0), 0, None, every):
            image = DecodedImage(frame.reformat(*enlarged_px) if enlarged_px else frame, converter)
            assert image.planes((640, 480)) is not None
            boxes, scores = boxes_of(image, None, estimator)
            reduced_boxes, _ = boxes_of(image, IMGSZ, estimator)
            clear = boxes[scores >= CLEAR_SCORE]
            wanted += len(clear)
            if len(clear) and len(reduced_boxes):
                found += int((iou(clear, reduced_boxes).max(axis=1) >= 0.5).sum())
    assert wanted >= 20
    assert found >= 0.98 * wanted, f"{found} of {wanted}"
