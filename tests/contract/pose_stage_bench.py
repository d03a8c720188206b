"""A worker's stage over one camera's streams, with an engine whose answer is known, for tests of its step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import redis
import simplejpeg

from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.reclaim import Attempt, attempts_from_json
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings, WorkerSettings
from posebus.messages import CameraMotion, Delivery, EndOfStream, PoseFrame, Skipped
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.process_report import WorkerReport
from posebus.topology import WORKERS_GROUP, Topology
from posebus.views import View
from tests.polling import wait_until
from tests.samples import frame, held_writer
from workers.detections import Detections, Head, ImageArray
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.inference.estimator import PoseEstimator
from workers.pose_stage import PoseStage

TOPOLOGY = Topology()
WIDTH, HEIGHT = 96, 64
BLACK = simplejpeg.encode_jpeg(np.zeros((HEIGHT, WIDTH, 3), np.uint8), 90, "RGB", "420")


class OnePerson:
    """An engine that finds one person in the middle of each picture, unless it is set to fail or to stall."""

    name, precision, device, batch, in_flight = "fake", "fp32", "cpu", 1, 2
    head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)

    def __init__(self) -> None:
        self.failing = False
        self.stalled = False
        self.stalls_after = 10**9  # submissions
        self.submitted = 0
        self.on_submit: Callable[[], object] = lambda: None
        self._stuck: list[Future[list[Detections]]] = []

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        return fit.apply(picture.rgb(fit.resized_px))

    def submit(self, prepared: Sequence[ImageArray], *, low_latency: bool = False) -> Future[list[Detections]]:
        self.submitted += 1
        self.on_submit()
        future: Future[list[Detections]] = Future()
        if self.failing:
            future.set_exception(RuntimeError("the device is on fire"))
            return future
        if self.stalled or self.submitted > self.stalls_after:
            self._stuck.append(future)
            return future
        height, width = prepared[0].shape[:2]
        box = np.array(((3 * width / 8, height / 4, 5 * width / 8, 3 * height / 4),), np.float32)
        points = np.tile(np.array((width / 2, height / 2, 0.8), np.float32), (1, 17, 1))
        future.set_result([Detections(box, np.full(1, 0.9, np.float32), points)])
        return future

    def release(self) -> None:
        for future in self._stuck:
            if not future.done():
                future.set_result([])

    def close(self) -> None:
        pass


class Bench:
    """One camera's streams, a stage that consumes them, and a consumer of its poses."""

    def __init__(
        self,
        client: redis.Redis,
        delivery: Delivery = Delivery.LOSSLESS,
        shared: SharedFrames | None = None,
        consumer: str = "w1",
        **settings: Any,
    ) -> None:
        self.exit_codes: list[int] = []
        self.client = client
        self.broker = Broker(client, TOPOLOGY, "test")
        self.engine = OnePerson()
        self.settings = WorkerSettings(imgsz=96, **settings)
        self.delivery = delivery
        self.producers: dict[str, FrameProducer] = {}
        self.producer = self.camera("door")
        self.consumer = FrameConsumer(self.broker, consumer, RetentionSettings(dead_entries=10))
        self.stage = PoseStage(
            self.consumer,
            Registry(self.broker),
            PoseEstimator(self.engine, self.settings),
            self.settings,
            shared,
            leave=self.exit_codes.append,
        )

    def camera(self, name: str) -> FrameProducer:
        if name not in self.producers:
            self.producers[name] = held_writer(self.broker, CameraRecord(name, self.delivery, "file"))
        return self.producers[name]

    def publish(
        self,
        seq: int,
        camera: str = "door",
        data: bytes = BLACK,
        encoding: str = "jpeg",
        views: tuple[View, ...] = (),
        camera_motion: CameraMotion | None = None,
    ) -> None:
        producer = self.camera(camera)
        size = (WIDTH, HEIGHT)
        producer.publish(
            frame(
                seq,
                camera,
                data=data,
                encoding=encoding,
                image_size_px=size,
                size_px=(2 * WIDTH, 2 * HEIGHT),
                delivery=self.delivery,
                views=views,
                camera_motion=camera_motion,
            )
        )

    def worker_report(self) -> WorkerReport:
        worker = self.stage.report().worker
        assert worker is not None
        return worker

    def run(self) -> None:
        """Step until every published frame is answered, or is given up by this worker and left pending."""
        waiting: list[tuple[int, int]] = []

        def is_idle() -> bool:
            waiting[:] = [self.waiting(camera) for camera in self.producers]
            return self.stage.in_flight == 0 and all(entries == pending for entries, pending in waiting)

        def done() -> bool:
            self.stage.step(time.monotonic())
            if not is_idle():
                return False
            # The reading thread may have read an entry, which is then pending, and not yet marked it as in flight.
            time.sleep(0.005)
            return is_idle()

        wait_until(done, lambda: f"answers; (entries, pending) of each camera: {waiting}", poll_s=0.0)

    def run_until_answered(self) -> None:
        """Step until every published frame is answered; frames that failed are tried again."""
        wait_until(lambda: self.waiting() == (0, 0), "answers to all frames", meanwhile=self.run)

    def read_and_crash(self, frames: int, consumer: str) -> None:
        """Read frames as another worker, which then neither commits them nor renews its claims."""
        FrameConsumer(self.broker, consumer, RetentionSettings(dead_entries=10)).read(["door"], frames, None)

    def letters(self) -> list[dict[bytes, bytes]]:
        """Return the fields of each dead letter."""
        return [fields for _, fields in self.client.xrange(TOPOLOGY.dead(0))]

    def attempts(self) -> dict[bytes, tuple[Attempt, ...]]:
        """Return the attempts that count against frames, by entry id."""
        found = self.client.hgetall(TOPOLOGY.attempts("door"))
        return {entry_id: attempts_from_json(value) for entry_id, value in found.items()}

    def step_until(self, condition: Callable[[], object]) -> None:
        wait_until(condition, "the condition", meanwhile=lambda: self.stage.step(time.monotonic()), poll_s=0.0)

    def poses(self, camera: str = "door") -> list[PoseFrame | Skipped | EndOfStream | None]:
        consumer = PoseConsumer(self.broker, "t1", RetentionSettings())
        return [entry.body for entry in consumer.read([camera], 99, None)]

    def waiting(self, camera: str = "door") -> tuple[int, int]:
        """Return how many entries the camera's stream of frames has, and how many of them are pending."""
        key = TOPOLOGY.frames(camera)
        return self.client.xlen(key), self.client.xpending(key, WORKERS_GROUP)["pending"]
