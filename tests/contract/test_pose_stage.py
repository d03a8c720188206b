"""The worker's step against real broker semantics, with an engine whose answer is known."""

from __future__ import annotations

import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
import simplejpeg

from posebus.appearance import split
from posebus.bus.connection import Broker, connect
from posebus.bus.frame_reader import FrameReader, PoseResult
from posebus.bus.frame_writer import FrameWriter
from posebus.bus.pose_reader import PoseReader
from posebus.bus.registry import CameraRecord, Registry
from posebus.errors import BrokerUnavailable
from posebus.messages import Delivery, EndOfStream, Frame, PoseFrame, Skipped
from posebus.settings import RetentionSettings, WorkerSettings
from posebus.topology import WORKERS_GROUP, Topology
from tests.contract.conftest import MakeClient
from tests.samples import end, frame
from workers.engines.base import FloatArray, Head, ImageArray
from workers.estimator import PoseEstimator
from workers.pose_stage import PoseStage

TOPOLOGY = Topology()
WIDTH, HEIGHT = 96, 64
BLACK = simplejpeg.encode_jpeg(np.zeros((HEIGHT, WIDTH, 3), np.uint8), 90, "RGB", "420")


class OnePerson:
    """An engine that sees one person in the middle of everything, or fails when told to."""

    name, precision, device, batch, in_flight = "fake", "fp32", "cpu", 1, 2
    head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)

    def __init__(self) -> None:
        self.failing = False
        self.submitted = 0

    def submit(self, images_rgb: ImageArray) -> Future[FloatArray]:
        self.submitted += 1
        future: Future[FloatArray] = Future()
        if self.failing:
            future.set_exception(RuntimeError("the device is on fire"))
            return future
        output = np.zeros((1, 56, 20), np.float32)
        height, width = images_rgb.shape[1:3]
        output[0, :5, 3] = width / 2, height / 2, width / 4, height / 2, 0.9
        output[0, 5::3, 3], output[0, 6::3, 3] = width / 2, height / 2
        output[0, 7::3, 3] = 0.8
        future.set_result(output)
        return future

    def close(self) -> None:
        pass


class Bench:
    """One camera's streams, a stage over them, and the tracker's view of the results."""

    def __init__(self, client: redis.Redis, delivery: Delivery = Delivery.LOSSLESS, **settings: Any) -> None:
        self.client = client
        self.broker = Broker(client, TOPOLOGY, "test")
        self.engine = OnePerson()
        self.settings = WorkerSettings(imgsz=96, **settings)
        self.delivery = delivery
        self.writer = self.camera("door")
        self.reader = FrameReader(self.broker, "w1", dead_kept=10)
        self.stage = PoseStage(
            self.reader, Registry(self.broker), PoseEstimator(self.engine, self.settings), self.settings
        )

    def camera(self, name: str) -> FrameWriter:
        writer = FrameWriter(self.broker, CameraRecord(name, self.delivery, "file"), events_kept=10)
        writer.open_epoch()
        return writer

    def publish(self, seq: int, camera: str = "door", data: bytes = BLACK) -> None:
        writer = self.writer if camera == "door" else self.camera(camera)
        size = (WIDTH, HEIGHT)
        writer.publish(
            frame(seq, camera, data=data, image_size_px=size, size_px=(2 * WIDTH, 2 * HEIGHT), delivery=self.delivery)
        )

    def steps(self, count: int = 6) -> None:
        for _ in range(count):
            self.stage.step(time.monotonic())

    def poses(self, camera: str = "door") -> list[PoseFrame | Skipped | EndOfStream | None]:
        reader = PoseReader(self.broker, "t1", RetentionSettings())
        return [entry.body for entry in reader.read([camera], 99, None)]

    def waiting(self, camera: str = "door") -> tuple[int, int]:
        """(entries, pending entries) of the camera's frames."""
        key = TOPOLOGY.frames(camera)
        return self.client.xlen(key), self.client.xpending(key, WORKERS_GROUP)["pending"]


def test_every_frame_of_every_camera_becomes_poses_in_source_pixels(make_client: MakeClient) -> None:
    bench = Bench(make_client())
    for seq in range(5):
        bench.publish(seq)
    bench.publish(0, "yard")
    bench.writer.publish(end(5))
    bench.steps(12)
    door, yard = bench.poses(), bench.poses("yard")
    assert sorted(body.seq for body in door if isinstance(body, PoseFrame)) == [0, 1, 2, 3, 4]
    assert [body.seq for body in door if isinstance(body, EndOfStream)] == [5]
    (only,) = yard
    assert isinstance(only, PoseFrame)
    assert only.size_px == (2 * WIDTH, 2 * HEIGHT)
    assert only.boxes_xyxy_px[0] == pytest.approx([72, 32, 120, 96])
    assert bench.waiting() == bench.waiting("yard") == (0, 0)
    assert bench.stage.report()["frames"] == 6


@pytest.mark.parametrize("wanted", [True, False])
def test_poses_say_what_people_wear_where_that_is_wanted(make_client: MakeClient, wanted: bool) -> None:
    bench = Bench(make_client(), appearance=wanted)
    bench.publish(0)
    bench.steps()
    (only,) = bench.poses()
    assert isinstance(only, PoseFrame)
    assert (only.appearance is not None) == wanted
    if only.appearance is not None:
        assert split(only.appearance)[1][0] == pytest.approx([0.8] * 4)


def test_a_damaged_picture_is_buried_and_its_neighbours_go_on(make_client: MakeClient) -> None:
    bench = Bench(make_client())
    bench.publish(0)
    bench.publish(1, data=b"\xff\xd8 this is no picture")
    bench.publish(2)
    bench.steps(8)
    found = {body.seq: body for body in bench.poses() if body is not None}
    assert isinstance(found[1], Skipped)
    assert isinstance(found[0], PoseFrame)
    assert isinstance(found[2], PoseFrame)
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert b"does not decode" in letter[b"dead_reason"]
    assert letter[b"data"] == b"\xff\xd8 this is no picture"
    assert bench.waiting() == (0, 0)


def test_an_entry_of_nobody_is_buried(make_client: MakeClient) -> None:
    bench = Bench(make_client())
    bench.client.xadd(TOPOLOGY.frames("door"), {"hello": "world"})
    bench.publish(0)
    bench.steps()
    assert [type(body) for body in bench.poses()] == [PoseFrame]
    assert bench.client.xlen(TOPOLOGY.dead(0)) == 1
    assert bench.waiting() == (0, 0)


def test_old_live_frames_are_skipped_unprocessed_and_counted(real_url: str) -> None:
    bench = Bench(connect(real_url), Delivery.LIVE, max_age_ms=50.0)
    bench.publish(0)
    time.sleep(0.2)
    bench.steps(2)
    bench.publish(1)
    bench.steps(4)
    old, fresh = bench.poses()
    assert isinstance(old, Skipped)
    assert old.reason == "too old"
    assert isinstance(fresh, PoseFrame)
    assert bench.engine.submitted == 1
    assert bench.stage.report()["skipped"] == {"too old": 1}


def test_a_camera_that_fell_behind_is_seen_as_it_is_now(real_url: str) -> None:
    bench = Bench(connect(real_url), Delivery.LIVE, max_age_ms=1000.0)
    for seq in range(20):
        bench.publish(seq)
        bench.publish(seq, "yard")
    time.sleep(0.3)
    bench.stage.step(time.monotonic())
    bench.stage.drain()
    for camera in ("door", "yard"):
        done = {body.seq: body for body in bench.poses(camera) if body is not None}
        assert isinstance(done.pop(19), PoseFrame)
        assert {body.reason for body in done.values() if isinstance(body, Skipped)} == {"overtaken"}
        assert len(done) == 19
    assert bench.engine.submitted == 2
    assert bench.waiting() == bench.waiting("yard") == (0, 0)


def test_live_frames_that_wait_for_a_moment_are_taken_in_order(make_client: MakeClient) -> None:
    bench = Bench(make_client(), Delivery.LIVE, max_age_ms=60_000.0)
    for seq in range(7):
        bench.publish(seq)
    bench.steps(8)
    assert [body.seq for body in bench.poses() if isinstance(body, PoseFrame)] == list(range(7))


def test_a_lossless_frame_is_never_too_old(real_url: str) -> None:
    bench = Bench(connect(real_url), Delivery.LOSSLESS, max_age_ms=50.0)
    bench.publish(0)
    time.sleep(0.2)
    bench.steps()
    assert [type(body) for body in bench.poses()] == [PoseFrame]


def test_a_frame_that_fails_again_and_again_is_buried(real_url: str) -> None:
    bench = Bench(connect(real_url), reclaim_after_s=0.02, max_deliveries=3)
    bench.engine.failing = True
    bench.publish(0)
    for _ in range(8):
        bench.steps(2)
        time.sleep(0.03)
    assert bench.engine.submitted == 3
    assert [type(body) for body in bench.poses()] == [Skipped]
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert letter[b"dead_reason"] == b"given up after 3 deliveries"
    assert bench.waiting() == (0, 0)


def test_a_frame_that_failed_once_is_tried_again(real_url: str) -> None:
    bench = Bench(connect(real_url), reclaim_after_s=0.02)
    bench.engine.failing = True
    bench.publish(0)
    bench.steps(2)
    bench.engine.failing = False
    time.sleep(0.03)
    bench.steps()
    assert [type(body) for body in bench.poses()] == [PoseFrame]


def test_a_commit_that_the_broker_did_not_answer_is_repeated(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(make_client())
    bench.publish(0)
    commit, failures = bench.reader.commit, iter([True, True, False])

    def flaky(results: list[PoseResult]) -> None:
        if next(failures, False):
            raise BrokerUnavailable("gone for a moment")
        commit(results)

    monkeypatch.setattr(bench.reader, "commit", flaky)
    for _ in range(6):
        try:
            bench.stage.step(time.monotonic())
        except BrokerUnavailable:
            continue
    assert [type(body) for body in bench.poses()] == [PoseFrame]
    assert bench.waiting() == (0, 0)


def test_draining_finishes_what_was_taken_and_leaves_the_group(make_client: MakeClient) -> None:
    bench = Bench(make_client())
    for seq in range(4):
        bench.publish(seq)
    bench.stage.step(time.monotonic())
    bench.stage.drain()
    entries, pending = bench.waiting()
    assert pending == 0
    assert len(bench.poses()) == 4 - entries > 0
    assert bench.client.xinfo_consumers(TOPOLOGY.frames("door"), WORKERS_GROUP) == []


def test_a_worker_leaves_the_frames_that_it_cannot_hold_to_others(make_client: MakeClient, tmp_path: Path) -> None:
    bench = Bench(make_client())
    for seq in range(30):
        bench.publish(seq)
    bench.stage.step(time.monotonic())
    pending = bench.waiting()[1]
    assert 0 < pending <= bench.engine.in_flight * bench.engine.batch
    assert isinstance(bench.reader.read(["door"], 1, None)[0].body, Frame)
