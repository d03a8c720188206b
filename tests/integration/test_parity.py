"""Parity with ultralytics: the whole path with their predictor, and letterbox and suppression with theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.parity import CONF, IOU, MAX_PEOPLE, Agreement, agreement, ours, pictures, reference
from tests.integration.conftest import MakeEstimator
from workers.detections import Detections, Head, ImageArray, Limits
from workers.images.preprocess import Letterbox
from workers.outputs.postprocess import detections_from_output
from workers.weights.weights import Weights

IMGSZ = 640


@pytest.fixture(scope="module")
def images_bgr(shared_data: Path) -> list[ImageArray]:
    """4 COCO pictures and 7 frames of each clip."""
    by_place = pictures(shared_data)
    assert {place: len(images) for place, images in by_place.items()} == {
        "coco4": 4,
        "TUD-Stadtmitte.mp4": 20,
        "one-by-one-person-detection.mp4": 20,
        "vtest.avi": 20,
    }
    return [image for place, images in by_place.items() for image in (images if place == "coco4" else images[::3])]


@pytest.fixture(scope="module")
def expected(weights: Weights, images_bgr: list[ImageArray]) -> list[Detections]:
    """The detections of ultralytics' predictor."""
    return reference(weights.path, images_bgr, IMGSZ)


def compare(
    make_estimator: MakeEstimator, images_bgr: list[ImageArray], expected: list[Detections], engine: str, precision: str
) -> Agreement:
    """Compare the engine's detections with the reference's."""
    estimator = make_estimator(
        engine=engine, precision=precision, imgsz=IMGSZ, conf=CONF, iou=IOU, max_people=MAX_PEOPLE
    )
    return agreement(ours(estimator, images_bgr), expected)


@pytest.mark.parametrize("engine", ["torch", "onnx", "openvino"])
def test_fp32_detects_the_same_people_in_the_same_place(
    engine: str, make_estimator: MakeEstimator, images_bgr: list[ImageArray], expected: list[Detections]
) -> None:
    found = compare(make_estimator, images_bgr, expected, engine, "fp32")
    assert found.unmatched == 0
    assert len(found.ious) > 90
    assert min(found.ious) >= 0.98
    assert max(found.keypoint_errors_px) <= 1.5


def test_bf16_detects_the_same_people_nearby(
    openvino_precisions: list[str],
    make_estimator: MakeEstimator,
    images_bgr: list[ImageArray],
    expected: list[Detections],
) -> None:
    if "bf16" not in openvino_precisions:
        pytest.skip("this CPU does not compute bf16 natively")
    found = compare(make_estimator, images_bgr, expected, "openvino", "bf16")
    print(f"bf16 against ultralytics in fp32: {found.line()}")  # noqa: T201, a figure for who runs with -s
    assert found.unmatched == 0
    assert np.mean(found.ious) >= 0.98
    assert np.mean(found.keypoint_errors_px) <= 1.5


@pytest.mark.parametrize("size_px", [(640, 480), (768, 432), (1920, 1080), (333, 500), (57, 901), (3000, 40)])
@pytest.mark.parametrize("imgsz", [640, 1280, 96])
def test_letterbox_equals_ultralytics(size_px: tuple[int, int], imgsz: int) -> None:
    from ultralytics.data.augment import LetterBox

    image = np.random.default_rng(0).integers(0, 256, (size_px[1], size_px[0], 3), dtype=np.uint8)
    theirs = LetterBox(imgsz, auto=True, stride=32)(image=image)
    np.testing.assert_array_equal(Letterbox.fit(size_px, imgsz).apply(image), theirs)


@pytest.mark.parametrize("classes", [1, 3])
def test_suppression_equals_ultralytics(classes: int) -> None:
    import torch
    from ultralytics.utils.nms import non_max_suppression

    rng = np.random.default_rng(classes)
    dense = rng.random((4 + classes + 51, 3000), dtype=np.float32)
    dense[:4] = dense[:4] * 200 + 100
    theirs = non_max_suppression(
        torch.from_numpy(dense[None]), CONF, IOU, max_det=MAX_PEOPLE, nc=classes, max_time_img=60
    )[0].numpy()
    head = Head(classes=classes, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)
    found = detections_from_output(dense, head, Limits(CONF, IOU, MAX_PEOPLE))
    np.testing.assert_array_equal(found.boxes_xyxy_px, theirs[:, :4])
    np.testing.assert_array_equal(found.scores, theirs[:, 4])
    np.testing.assert_array_equal(found.keypoints_px.reshape(-1, 51), theirs[:, 6:])
