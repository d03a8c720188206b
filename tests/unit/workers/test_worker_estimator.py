"""The estimator over an engine that answers from a script."""

from __future__ import annotations

from concurrent.futures import Future

import numpy as np
import pytest

from posebus.settings import WorkerSettings
from workers.engines.base import FloatArray, Head, ImageArray
from workers.estimator import PoseEstimator

HEAD = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)


class ScriptedEngine:
    """Sees one person in every frame, 40 px wide and 80 px high, at the middle of the input."""

    name, precision, device, head, batch, in_flight = "scripted", "fp32", "cpu", HEAD, 4, 2

    def __init__(self) -> None:
        self.seen: list[ImageArray] = []
        self.futures: list[Future[FloatArray]] = []

    def submit(self, images_rgb: ImageArray) -> Future[FloatArray]:
        self.seen.append(images_rgb)
        self.futures.append(Future())
        return self.futures[-1]

    def answer(self) -> None:
        images, future = self.seen[-1], self.futures[-1]
        _, height, width, _ = images.shape
        output = np.zeros((len(images), 56, 100), np.float32)
        output[:, :5, 3] = [width / 2, height / 2, 40, 80, 0.75]
        output[:, 5::3, 3], output[:, 6::3, 3], output[:, 7::3, 3] = width / 2, height / 2, 0.5
        future.set_result(output)

    def close(self) -> None:
        pass


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def estimator(engine: ScriptedEngine) -> PoseEstimator:
    return PoseEstimator(engine, WorkerSettings())


def test_results_are_in_the_pixels_of_each_frames_source(engine: ScriptedEngine, estimator: PoseEstimator) -> None:
    image = np.zeros((540, 960, 3), np.uint8)
    pending = estimator.submit([image, image], [(1920, 1080), (960, 540)])
    assert engine.seen[0].shape == (2, 384, 640, 3)
    assert not pending.done()
    engine.answer()
    assert pending.done()
    large, small = pending.result()
    np.testing.assert_allclose(large.boxes_xyxy_px, [[900, 420, 1020, 660]], atol=1e-3)
    np.testing.assert_allclose(small.boxes_xyxy_px, [[450, 210, 510, 330]], atol=1e-3)
    np.testing.assert_allclose(large.keypoints_px[0, 5], [960, 540, 0.5], atol=1e-3)
    assert large.scores.tolist() == [0.75]


def test_waiting_for_a_result_can_time_out(estimator: PoseEstimator) -> None:
    pending = estimator.submit([np.zeros((480, 640, 3), np.uint8)], [(640, 480)])
    with pytest.raises(TimeoutError):
        pending.result(timeout_s=0.01)


def test_what_the_engine_raised_reaches_the_caller(engine: ScriptedEngine, estimator: PoseEstimator) -> None:
    pending = estimator.submit([np.zeros((480, 640, 3), np.uint8)], [(640, 480)])
    engine.futures[0].set_exception(RuntimeError("out of memory"))
    assert pending.done()
    with pytest.raises(RuntimeError, match="out of memory"):
        pending.result()


def test_the_engine_gets_rows_without_gaps(engine: ScriptedEngine, estimator: PoseEstimator) -> None:
    estimator.submit([np.zeros((480, 640, 3), np.uint8)[..., ::-1]], [(640, 480)])
    assert engine.seen[0].flags.c_contiguous


def test_pictures_of_one_letterbox_shape_share_a_batch(estimator: PoseEstimator) -> None:
    assert estimator.fit((1920, 1080)).input_px == estimator.fit((640, 360)).input_px == (640, 384)
