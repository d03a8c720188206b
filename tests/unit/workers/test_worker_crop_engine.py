"""The engine that computes keypoints on crops: which people are refined, what stays, and how failures are reported."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from posebus.config.settings import WorkerSettings
from workers.detections import Detections, Head, ImageArray
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.inference.estimator import PoseEstimator
from workers.keypoints.crop_engine import CropKeypointEngine, DetectedFrame, LockedEngine
from workers.keypoints.refining import CROP_PX, MAX_REFINED, Refiner

WIDE_PX = (640, 480)


class Finder:
    """An engine that detects `boxes` in whole pictures, with all keypoints at (0, 0).

    In a crop it detects one person of the size that `CONTEXT` gives, with all keypoints a quarter down the middle. It
    records the crops, and in `crowded` whether two threads ever submitted at once.
    """

    name, precision, device, batch, in_flight = "finder", "fp32", "cpu", 2, 2
    head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = np.array(boxes, np.float32).reshape(-1, 4)
        self.crops: list[ImageArray] = []
        self.blind = False
        self.failing = False
        self.closed = False
        self.crowded = False
        self.release = threading.Event()
        self.release.set()
        self._inside = threading.Lock()
        self._threads = ThreadPoolExecutor(2)

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        return fit.apply(picture.rgb(fit.resized_px))

    def submit(self, prepared: Sequence[ImageArray], *, low_latency: bool = False) -> Future[list[Detections]]:
        assert not self.closed
        assert len(prepared) <= self.batch
        self.crowded |= not self._inside.acquire(blocking=False)
        future = self._threads.submit(lambda: [self._find(image) for image in prepared])
        self._inside.release()
        return future

    def close(self) -> None:
        self._threads.shutdown()
        self.closed = True

    def _find(self, image: ImageArray) -> Detections:
        assert self.release.wait(10)
        width_px, height_px = CROP_PX
        if image.shape[:2] != (height_px, width_px):
            keypoints = np.zeros((len(self.boxes), 17, 3), np.float32)
            return Detections(self.boxes, np.linspace(0.9, 0.5, len(self.boxes), dtype=np.float32), keypoints)
        self.crops.append(image)
        if self.failing:
            raise RuntimeError("out of memory")
        high_px, wide_px = 0.8 * height_px, 0.32 * height_px
        middle = np.array((width_px / 2, height_px / 2), np.float32)
        half = np.array((wide_px, high_px), np.float32) / 2
        box = np.concatenate((middle - half, middle + half))[None]
        point = np.array((width_px / 2, (height_px - high_px) / 2 + high_px / 4, 0.8), np.float32)
        found = Detections(box, np.ones(1, np.float32), np.tile(point, (1, 17, 1)))
        return Detections(box[:0], found.scores[:0], found.keypoints_px[:0]) if self.blind else found


def small(left: float, top: float, height_px: float = 80) -> tuple[float, float, float, float]:
    return left, top, left + 0.4 * height_px, top + height_px


def refining(finder: Finder, below_px: int = 128, *, mirrored: bool = False) -> PoseEstimator:
    inner = LockedEngine(finder)
    engine = CropKeypointEngine(inner, Refiner(inner, below_px, mirrored=mirrored))
    finder.crops.clear()  # the crops of the warm-up
    return PoseEstimator(engine, WorkerSettings())


def wide() -> ImageArray:
    return np.zeros((WIDE_PX[1], WIDE_PX[0], 3), np.uint8)


@pytest.mark.parametrize("mirrored", [False, True])
def test_small_people_get_the_keypoints_of_their_crops(mirrored: bool) -> None:
    finder = Finder(small(100, 100), small(300, 100, 300), small(10, 390))
    found = refining(finder, mirrored=mirrored).estimate(wide())
    assert len(finder.crops) == (4 if mirrored else 2)
    np.testing.assert_allclose(found.boxes_xyxy_px, finder.boxes)
    np.testing.assert_allclose(found.scores, (0.9, 0.7, 0.5))
    # The crop is at 3.2 times the scale; the first estimate has no confidence and thus no weight.
    np.testing.assert_allclose(found.keypoints_px[0, :, :2], np.tile((116, 120), (17, 1)), atol=0.01)
    np.testing.assert_allclose(found.keypoints_px[2, :, :2], np.tile((26, 410), (17, 1)), atol=0.01)
    assert 0.7 < found.keypoints_px[0, 0, 2] < 0.8
    assert not found.keypoints_px[1].any()


def test_crops_are_cut_at_full_resolution() -> None:
    finder = Finder(small(100, 100))
    picture = np.zeros((960, 1280, 3), np.uint8)
    picture[200:360, 200:264] = np.arange(64, dtype=np.uint8)[None, :, None] % 2 * 255  # where the person is, stripes
    found = refining(finder).estimate(picture)
    np.testing.assert_allclose(found.keypoints_px[0, 0, :2], (232, 240), atol=0.02)
    stripes = finder.crops[0][128, 80:176, 0].astype(int)
    assert np.abs(np.diff(stripes)).max() > 100  # reduced to the network's input they would be one grey


def test_height_counts_in_the_input_or_in_a_smaller_picture() -> None:
    finder = Finder(small(100, 100, 200))
    estimator = refining(finder)
    estimator.estimate(wide())
    estimator.estimate(np.zeros((960, 1280, 3), np.uint8))
    assert not finder.crops
    estimator.estimate(np.zeros((240, 320, 3), np.uint8))  # enlarged to twice its size; the person has 100 rows
    assert len(finder.crops) == 1


def test_person_not_detected_in_the_crop_keeps_the_first_keypoints() -> None:
    finder = Finder(small(100, 100))
    estimator = refining(finder, mirrored=True)
    finder.blind = True
    found = estimator.estimate(wide())
    assert len(finder.crops) == 2
    assert not found.keypoints_px.any()


def test_only_the_best_scores_of_a_crowd_are_refined() -> None:
    finder = Finder(*(small(10 * number, 100) for number in range(MAX_REFINED + 10)))
    found = refining(finder).estimate(wide())
    assert len(finder.crops) == MAX_REFINED
    assert found.keypoints_px[:MAX_REFINED].any(axis=(1, 2)).all()
    assert not found.keypoints_px[MAX_REFINED:].any()


def test_no_people_take_no_crops() -> None:
    finder = Finder()
    found = refining(finder).estimate(wide())
    assert found.keypoints_px.shape == (0, 17, 3)
    assert not finder.crops


def test_failure_on_a_crop_is_raised_for_its_frame() -> None:
    finder = Finder(small(100, 100))
    estimator = refining(finder)
    finder.failing = True
    with pytest.raises(RuntimeError, match="out of memory"):
        estimator.estimate(wide())
    finder.failing = False
    assert estimator.estimate(wide()).keypoints_px.any()


def test_frames_of_a_batch_get_their_own_people_and_submissions_never_overlap() -> None:
    finder = Finder(small(100, 100), small(200, 50), small(400, 300))
    estimator = refining(finder, mirrored=True)
    prepared = [estimator.prepare(Picture.of(wide()))[0] for _ in range(2)]
    futures = [estimator.submit(prepared) for _ in range(8)]
    for future in futures:
        for found in future.result(timeout=20):
            np.testing.assert_allclose(found.keypoints_px[:, 0, 0], (116, 216, 416), atol=0.01)
    assert not finder.crowded


def test_close_waits_for_frames_that_still_need_the_inner_engine() -> None:
    finder = Finder(small(100, 100))
    estimator = refining(finder)
    (prepared,) = estimator.prepare(Picture.of(wide()))
    finder.release.clear()
    future = estimator.submit([prepared])
    closing = threading.Thread(target=estimator.engine.close)
    closing.start()
    assert not finder.closed
    finder.release.set()
    closing.join(timeout=20)
    assert finder.closed
    assert future.result(timeout=0)[0].keypoints_px.any()


def test_engine_reports_its_properties() -> None:
    finder = Finder()
    engine = refining(finder).engine
    assert (engine.name, engine.precision, engine.device) == ("finder+refine", "fp32", "cpu")
    assert (engine.batch, engine.in_flight, engine.head) == (2, 2, finder.head)


def test_network_without_coco_keypoints_is_not_run_on_mirror_images() -> None:
    finder = Finder(small(100, 100))
    finder.head = Head(classes=1, keypoints=5, keypoint_dims=2, end_to_end=False, stride=32)
    assert Refiner(LockedEngine(finder), 128, mirrored=True).keypoints == 5
    finder.crops.clear()
    refiner = Refiner(LockedEngine(finder), 128, mirrored=True)
    finder.crops.clear()
    fit = Letterbox.fit(WIDE_PX, 640)
    people = Detections(finder.boxes, np.ones(1, np.float32), np.zeros((1, 17, 3), np.float32))
    refiner.recompute([DetectedFrame(Picture.of(wide()), fit, people)])
    assert len(finder.crops) == 1
