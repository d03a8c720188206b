"""An engine that answers when a test calls `answer`, jobs for it, and the outcomes of a pipeline over it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np
import simplejpeg

from posebus.bus.frame_consumer import FrameEntry
from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from posebus.messages import Delivery
from posebus.views import View
from tests.polling import wait_until
from tests.samples import frame
from workers.detections import Detections, Head, ImageArray
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.inference.frame_job import FrameOutcome
from workers.inference.pipeline import InferencePipeline
from workers.intake.entry_filter import EntryFilter
from workers.job import Job

SIZE_PX = (64, 64)
JPEG = simplejpeg.encode_jpeg(np.zeros((64, 64, 3), np.uint8), 90, "RGB", "420")
NO_PEOPLE = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 17, 3), np.float32))


class ManualEngine:
    """Computes nothing until `answer`."""

    name, precision, device = "manual", "fp32", "cpu"
    head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)

    def __init__(self, batch: int = 1, in_flight: int = 2) -> None:
        self.batch, self.in_flight = batch, in_flight
        self.submitted: list[tuple[int, Future[list[Detections]]]] = []
        self.shapes: list[tuple[int, ...]] = []
        self.low_latency: list[bool] = []
        self.broken = False
        self.decoding = threading.Event()
        self.decoding.set()

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        assert self.decoding.wait(10)
        return fit.apply(picture.rgb())

    def submit(self, prepared: Sequence[ImageArray], *, low_latency: bool = False) -> Future[list[Detections]]:
        if self.broken:
            raise EngineError("no memory for this shape")
        future: Future[list[Detections]] = Future()
        self.submitted.append((len(prepared), future))
        self.shapes.append(prepared[0].shape[:2])
        self.low_latency.append(low_latency)
        return future

    def answer(self, which: int = 0) -> None:
        frames, future = self.submitted.pop(which)
        future.set_result([NO_PEOPLE] * frames)

    def close(self) -> None:
        pass


def job(
    seq: int,
    data: bytes = JPEG,
    delivery: Delivery = Delivery.LOSSLESS,
    age_ms: float = 0.0,
    views: tuple[View, ...] = (),
) -> Job:
    body = frame(seq, data=data, size_px=SIZE_PX, image_size_px=SIZE_PX, delivery=delivery, views=views)
    entry = FrameEntry("door", b"%d-0" % seq, body, {})
    found = EntryFilter(WorkerSettings()).job_or_result(entry, age_ms, time.monotonic())
    assert isinstance(found, Job)
    return found


def collect_all(pipeline: InferencePipeline, count: int) -> list[FrameOutcome]:
    outcomes: list[FrameOutcome] = []
    wait_until(
        lambda: len(outcomes) >= count,
        f"{count} outcomes",
        meanwhile=lambda: outcomes.extend(pipeline.collect(0.05)),
        poll_s=0.0,
    )
    return outcomes
