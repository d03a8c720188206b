"""Pictures that ingest reduces to the network's size give the same detections as full-size pictures."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.publishing.encoding import encode
from ingest.sources.decoding.decoded import DecodedImage, FrameConverter
from ingest.sources.decoding.pixels import Image
from posebus.boxes import iou_matrix
from posebus.config.settings import CameraSettings
from tests.integration.conftest import MakeEstimator
from workers.images.picture import decode_image
from workers.inference.estimator import PoseEstimator

IMGSZ = 640
SETTINGS = CameraSettings(source="x.mp4")
CLEAR_SCORE = 0.3
"""The tracker links detections of this score and above first."""


def boxes_of(image: Image, max_size_px: int | None, estimator: PoseEstimator) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes, in source pixels, and scores of the published form of `image`."""
    encoded = encode(image, SETTINGS, max_size_px)
    found = estimator.estimate(decode_image(encoded.data, encoded.encoding, encoded.image_size_px))
    scale = image.size_px[0] / encoded.image_size_px[0]
    return found.boxes_xyxy_px * scale, found.scores


@pytest.mark.parametrize(
    ("name", "every", "enlarged_px"),
    [
        ("vtest.avi", 20, None),
        ("TUD-Stadtmitte.mp4", 18, (1920, 1440)),
        ("one-by-one-person-detection.mp4", 40, (1920, 1080)),
    ],
)
def test_reduced_pictures_give_the_same_detections(
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
                found += int((iou_matrix(clear, reduced_boxes).max(axis=1) >= 0.5).sum())
    assert wanted >= 20
    assert found >= 0.98 * wanted, f"{found} of {wanted}"
