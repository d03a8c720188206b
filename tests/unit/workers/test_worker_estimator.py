"""The estimator over an engine that answers from a script."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np
import pytest

from posebus.config.settings import WorkerSettings
from posebus.views import View
from workers.detections import Detections, Head, ImageArray
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.inference.estimator import PoseEstimator

HEAD = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)


class ScriptedEngine:
    """Finds one person in every input, 40 px wide and 80 px high, in its middle."""

    name, precision, device, head, batch, in_flight = "scripted", "fp32", "cpu", HEAD, 4, 2

    def __init__(self) -> None:
        self.inputs: list[ImageArray] = []
        self.batches: list[int] = []
        self.error: Exception | None = None

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        return fit.apply(picture.rgb(fit.resized_px))

    def submit(self, prepared: Sequence[ImageArray], *, low_latency: bool = False) -> Future[list[Detections]]:
        future: Future[list[Detections]] = Future()
        self.inputs += prepared
        self.batches.append(len(prepared))
        if self.error is not None:
            future.set_exception(self.error)
            return future
        found = []
        for image in prepared:
            x, y = image.shape[1] / 2, image.shape[0] / 2
            points = np.tile(np.array((x, y, 0.5), np.float32), (1, 17, 1))
            box = np.array(((x - 20, y - 40, x + 20, y + 40),), np.float32)
            found.append(Detections(box, np.full(1, 0.75, np.float32), points))
        future.set_result(found)
        return future

    def close(self) -> None:
        pass


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def estimator(engine: ScriptedEngine) -> PoseEstimator:
    return PoseEstimator(engine, WorkerSettings(imgsz=640))


def test_people_are_in_pixels_of_the_picture(engine: ScriptedEngine, estimator: PoseEstimator) -> None:
    found = estimator.estimate(np.zeros((540, 960, 3), np.uint8))
    assert engine.inputs[0].shape == (384, 640, 3)
    np.testing.assert_allclose(found.boxes_xyxy_px, [[450, 210, 510, 330]], atol=1e-3)
    np.testing.assert_allclose(found.keypoints_px[0, 5], [480, 270, 0.5], atol=1e-3)
    assert found.scores.tolist() == [0.75]


def test_error_of_the_engine_reaches_the_caller(engine: ScriptedEngine, estimator: PoseEstimator) -> None:
    engine.error = RuntimeError("out of memory")
    with pytest.raises(RuntimeError, match="out of memory"):
        estimator.estimate(np.zeros((480, 640, 3), np.uint8))


def test_pictures_of_one_letterbox_shape_share_a_batch(estimator: PoseEstimator) -> None:
    assert estimator.fit((1920, 1080)).input_px == estimator.fit((640, 360)).input_px == (640, 384)


@pytest.mark.parametrize(("batch", "expected"), [(1, [1]), (4, [1, 2, 4]), (12, [1, 2, 4, 8, 12])])
def test_warm_up_submits_every_batch_size(
    engine: ScriptedEngine, estimator: PoseEstimator, batch: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "batch", batch)
    estimator.warm_up((640, 480))
    assert engine.batches == expected
    assert {image.shape for image in engine.inputs} == {(480, 640, 3)}


def test_warm_up_with_automatic_size_submits_the_sizes_of_the_first_frame(engine: ScriptedEngine) -> None:
    estimator = PoseEstimator(engine, WorkerSettings(imgsz="auto", imgsz_max=800))
    fits = estimator.warm_up((640, 480))
    assert {image.shape[1] for image in engine.inputs} == {416, 640, 800} == {fit.input_px[0] for fit in fits}


def test_people_of_tiles_are_in_pixels_of_the_picture(engine: ScriptedEngine, estimator: PoseEstimator) -> None:
    found = estimator.estimate(np.zeros((500, 1750, 3), np.uint8), view=View(640, 2, 1))
    assert [image.shape for image in engine.inputs] == [(320, 640, 3)] * 2
    # The tiles are 1000 wide, a person stands in the middle of each.
    assert sorted(found.keypoints_px[:, 5, 0].tolist()) == pytest.approx([500, 1250], abs=1)
    assert found.keypoints_px[:, 5, 1].tolist() == pytest.approx([250, 250], abs=1)
