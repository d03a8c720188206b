"""Views with the real network: probes equal inference at that size, and tiles detect small people once."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import simplejpeg

from posebus.boxes import iou_matrix
from posebus.bus.frame_consumer import FrameEntry
from posebus.config.settings import WorkerSettings
from posebus.messages import PoseFrame
from posebus.telemetry.metrics import Metrics
from posebus.views import View
from tests.clips import photograph
from tests.integration.conftest import MakeEstimator
from tests.polling import wait_until
from tests.samples import frame
from workers.detections import Detections, ImageArray
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Inferred
from workers.inference.hang import HangWatch
from workers.inference.pipeline import InferencePipeline
from workers.intake.entry_filter import EntryFilter
from workers.intake.pose_results import pose_result
from workers.job import Job

SIZES = (640, 320, 416, 512, 800, 1024, 1280)
VIEWS = (*map(View, SIZES), View(640, 2, 2))
SETTINGS = WorkerSettings(conf=0.1, appearance=False)


@pytest.fixture(scope="module")
def square(shared_data: Path) -> list[ImageArray]:
    """Every hundredth picture of people on a square from above: u8 (576, 768, 3) RGB, people about 80 px high."""
    with av.open(str(shared_data / "vtest.avi")) as container:
        chosen = itertools.islice(container.decode(video=0), 0, 700, 110)
        return [picture.to_ndarray(format="rgb24") for picture in chosen]


def answers(estimator: PoseEstimator, pictures: list[bytes], size_px: tuple[int, int]) -> list[PoseFrame]:
    """The results of a worker for `pictures`, JPEGs, all in flight at once, each inferred in all of VIEWS."""
    entry_filter = EntryFilter(SETTINGS)
    pipeline = InferencePipeline(estimator, Metrics(), 2, HangWatch(60))
    for seq, data in enumerate(pictures):
        body = frame(seq, data=data, size_px=size_px, image_size_px=size_px, views=VIEWS)
        job = entry_filter.job_or_result(FrameEntry("door", b"%d-0" % seq, body, {}), 0.0, 0.0)
        assert isinstance(job, Job)
        pipeline.add(job)
    found: dict[int, PoseFrame] = {}

    def collect() -> None:
        for seen in pipeline.collect(0.1):
            assert isinstance(seen, Inferred)
            said = pose_result(seen, SETTINGS, Metrics()).body
            assert isinstance(said, PoseFrame)
            found[said.seq] = said

    wait_until(lambda: len(found) == len(pictures), "an answer to every picture", meanwhile=collect, poll_s=0.0)
    pipeline.close()
    return [found[seq] for seq in range(len(pictures))]


def digest(boxes: np.ndarray, scores: np.ndarray) -> str:
    return hashlib.sha256(boxes.tobytes() + scores.tobytes()).hexdigest()


def test_probe_equals_inference_at_its_view_to_the_bit(square: list[ImageArray], make_estimator: MakeEstimator) -> None:
    estimator = make_estimator(engine="openvino", precision="fp32", conf=SETTINGS.conf, threads=2)
    pictures = [simplejpeg.encode_jpeg(picture, 90, "RGB", "420") for picture in square[:2]]
    people = 0
    for picture, said in zip(pictures, answers(estimator, pictures, (768, 576)), strict=True):
        rows = simplejpeg.decode_jpeg(picture, "RGB")
        assert [probe.view for probe in said.probes] == list(VIEWS[1:])
        told = [(said.boxes_xyxy_px, said.scores), *((probe.boxes_xyxy_px, probe.scores) for probe in said.probes)]
        for view, (boxes, scores) in zip(VIEWS, told, strict=True):
            alone = estimator.estimate(rows, view=view)
            assert digest(boxes, scores) == digest(alone.boxes_xyxy_px, alone.scores), view
            people += len(scores)
    assert people > 20


def doubles(people: Detections) -> int:
    """The number of pairs of boxes that overlap by more than half, or of which one is inside the other."""
    boxes = people.boxes_xyxy_px
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    ratio = np.triu(iou_matrix(boxes, boxes), 1)
    shared = ratio * (area[:, None] + area) / (1 + ratio)
    return int(((ratio > 0.5) | (shared > 0.8 * np.minimum(area[:, None], area))).sum())


@pytest.mark.parametrize(
    "tiles", [View(1280, 3, 2), pytest.param(View(1280, 4, 3), marks=pytest.mark.thorough), View(640, 8, 5)]
)
def test_tiles_find_the_people_of_a_picture_that_is_too_large_each_once(
    tiles: View, square: list[ImageArray], make_estimator: MakeEstimator
) -> None:
    estimator = make_estimator(engine="openvino", precision="fp32", conf=0.25, threads=2)
    canvas = np.full((1440, 2560, 3), 114, np.uint8)
    expected = []
    for number, picture in enumerate(square[:6]):
        x, y = number % 3 * 800 + 50, number // 3 * 620 + 100
        canvas[y : y + 576, x : x + 768] = picture
        expected.append(estimator.estimate(picture, view=View(1280)).boxes_xyxy_px + np.array((x, y, x, y), np.float32))
    people = np.concatenate(expected)

    def found(seen: Detections) -> int:
        return int((iou_matrix(people, seen.boxes_xyxy_px).max(axis=1, initial=0) >= 0.5).sum())

    whole, tiled = (estimator.estimate(canvas, view=view) for view in (View(1280), tiles))
    assert len(people) > 20
    assert found(whole) < 0.6 * len(people)
    assert found(tiled) > 0.9 * len(people)
    assert len(tiled.scores) <= 1.1 * len(people)
    assert doubles(tiled) == 0
    parts = estimator.view_plans((2560, 1440), (tiles,))[0].tiles
    assert len(parts) == tiles.columns * tiles.rows


def test_people_too_large_for_a_tile_are_found_once(make_estimator: MakeEstimator) -> None:
    bus_bgr = cv2.imread(str(photograph("bus.jpg")))
    assert bus_bgr is not None
    bus = np.ascontiguousarray(bus_bgr[..., ::-1])
    estimator = make_estimator(engine="openvino", precision="fp32", conf=0.25, threads=2)
    whole = estimator.estimate(bus, view=View(640))
    tiled = estimator.estimate(bus, view=View(640, 2, 2))
    assert len(whole.scores) == 4
    assert doubles(tiled) == 0
    assert (iou_matrix(whole.boxes_xyxy_px, tiled.boxes_xyxy_px).max(axis=1) > 0.6).sum() >= 3
    assert len(tiled.scores) <= 6
