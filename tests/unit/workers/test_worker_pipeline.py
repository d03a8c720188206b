"""Frames through the threads of one worker, over an engine that answers when it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import numpy as np
import pytest
import simplejpeg
from samples import frame

from posebus.bus.frame_consumer import FrameEntry, PoseResult
from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from posebus.messages import Delivery, Skipped
from posebus.telemetry.metrics import Metrics
from posebus.views import View
from workers.detections import Detections, Head, ImageArray
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Failed, Outcome, Seen
from workers.inference.hang import HangWatch
from workers.inference.pipeline import Pipeline
from workers.intake.triage import Job, Triage

SIZE_PX = (64, 64)
JPEG = simplejpeg.encode_jpeg(np.zeros((64, 64, 3), np.uint8), 90, "RGB", "420")
NOBODY = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 17, 3), np.float32))


class ManualEngine:
    """Computes nothing until `answer`."""

    name, precision, device = "manual", "fp32", "cpu"
    head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)

    def __init__(self, batch: int = 1, in_flight: int = 2) -> None:
        self.batch, self.in_flight = batch, in_flight
        self.submitted: list[tuple[int, Future[list[Detections]]]] = []
        self.shapes: list[tuple[int, ...]] = []
        self.hurried: list[bool] = []
        self.broken = False
        self.decoding = threading.Event()
        self.decoding.set()

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        assert self.decoding.wait(10)
        return fit.apply(picture.rgb())

    def submit(self, prepared: Sequence[ImageArray], *, hurry: bool = False) -> Future[list[Detections]]:
        if self.broken:
            raise EngineError("no memory for this shape")
        future: Future[list[Detections]] = Future()
        self.submitted.append((len(prepared), future))
        self.shapes.append(prepared[0].shape[:2])
        self.hurried.append(hurry)
        return future

    def answer(self, which: int = 0) -> None:
        frames, future = self.submitted.pop(which)
        future.set_result([NOBODY] * frames)

    def close(self) -> None:
        pass


MakePipeline = Callable[..., Pipeline]


@pytest.fixture
def make_pipeline() -> Iterator[MakePipeline]:
    made: list[Pipeline] = []

    def make(engine: ManualEngine, watch: HangWatch | None = None, metrics: Metrics | None = None) -> Pipeline:
        estimator = PoseEstimator(engine, WorkerSettings(imgsz=64))
        made.append(Pipeline(estimator, metrics or Metrics(), 1, watch or HangWatch(hang_s=60)))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.close()


def job(
    seq: int,
    data: bytes = JPEG,
    delivery: Delivery = Delivery.LOSSLESS,
    age_ms: float = 0.0,
    views: tuple[View, ...] = (),
) -> Job:
    body = frame(seq, data=data, size_px=SIZE_PX, image_size_px=SIZE_PX, delivery=delivery, views=views)
    entry = FrameEntry("door", b"%d-0" % seq, body, {})
    found = Triage(WorkerSettings())(entry, age_ms, time.monotonic())
    assert isinstance(found, Job)
    return found


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def collect_all(pipeline: Pipeline, count: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    deadline_s = time.monotonic() + 10
    while len(outcomes) < count:
        assert time.monotonic() < deadline_s
        outcomes += pipeline.collect(0.05)
    return outcomes


def test_the_engine_has_its_next_frames_before_the_first_is_done(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(in_flight=2)
    pipeline = make_pipeline(engine)
    pipeline.add(job(0))
    pipeline.add(job(1))
    until(lambda: len(engine.submitted) == 2)
    assert pipeline.free == 0
    assert not pipeline.wait_for_room(0.01)
    engine.answer()
    (first,) = collect_all(pipeline, 1)
    assert isinstance(first, Seen)
    assert first.job.frame.seq == 0
    assert pipeline.wait_for_room(0.01)
    assert not pipeline.empty


def test_while_the_engine_is_busy_frames_gather_to_a_batch(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine(batch=4, in_flight=1)
    pipeline = make_pipeline(engine)
    assert pipeline.capacity == 8
    pipeline.add(job(0))
    until(lambda: len(engine.submitted) == 1)  # at once: it had nothing to do
    for seq in range(1, 5):
        pipeline.add(job(seq))
    engine.answer()
    assert len(collect_all(pipeline, 1)) == 1
    until(lambda: pipeline.collect(0) == [] and len(engine.submitted) == 1)
    assert engine.submitted[0][0] >= 1
    while engine.submitted or not pipeline.empty:
        if engine.submitted:
            engine.answer()
        pipeline.collect(0.01)
    assert pipeline.free == pipeline.capacity


def test_only_a_live_frame_that_comes_alone_is_in_a_hurry(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    pipeline.add(job(0, delivery=Delivery.LIVE))
    until(lambda: len(engine.hurried) == 1)
    pipeline.add(job(1, delivery=Delivery.LIVE))
    until(lambda: len(engine.hurried) == 2)
    engine.answer()
    engine.answer()
    collect_all(pipeline, 2)
    pipeline.add(job(2, delivery=Delivery.LOSSLESS))
    until(lambda: len(engine.hurried) == 3)
    assert engine.hurried == [True, False, False]


def test_a_damaged_picture_is_answered_and_makes_room(make_pipeline: MakePipeline) -> None:
    pipeline = make_pipeline(ManualEngine())
    pipeline.add(job(0, data=b"no picture"))
    (answer,) = collect_all(pipeline, 1)
    assert isinstance(answer, PoseResult)
    assert "does not decode" in (answer.dead_reason or "")
    assert pipeline.empty
    assert pipeline.free == pipeline.capacity


def test_a_frame_that_grew_too_old_on_the_way_is_skipped(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    engine.decoding.clear()
    pipeline.add(job(0, delivery=Delivery.LIVE, age_ms=499.0))
    time.sleep(0.01)
    engine.decoding.set()
    (answer,) = collect_all(pipeline, 1)
    assert isinstance(answer, PoseResult)
    assert isinstance(answer.body, Skipped)
    assert answer.body.reason == "too old"
    assert engine.submitted == []


def test_what_the_engine_chokes_on_is_told_with_the_frame(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    pipeline = make_pipeline(engine)
    pipeline.add(job(7))
    until(lambda: len(engine.submitted) == 1)
    engine.submitted[0][1].set_exception(RuntimeError("on fire"))
    (outcome,) = collect_all(pipeline, 1)
    assert isinstance(outcome, Failed)
    assert outcome.job.frame.seq == 7


def test_an_engine_that_cannot_go_on_ends_the_collecting_thread(make_pipeline: MakePipeline) -> None:
    engine = ManualEngine()
    engine.broken = True
    pipeline = make_pipeline(engine)
    pipeline.add(job(0))
    with pytest.raises(EngineError, match="no memory"):
        collect_all(pipeline, 1)
