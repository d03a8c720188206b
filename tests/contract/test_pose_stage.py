"""The worker's step against real broker semantics, with an engine whose answer is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
import simplejpeg

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.reclaim import GONE, Attempt, attempts_from_json
from posebus.bus.redis.connection import Broker, connect
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings, WorkerSettings
from posebus.contract.appearance import split
from posebus.errors import BrokerUnavailable
from posebus.messages import Delivery, EndOfStream, Frame, PoseFrame, Skipped
from posebus.runtime.processes import EXIT_STUCK
from posebus.runtime.shared_frames import SharedFrames
from posebus.subscribing.subscription import Plan, decode_entry
from posebus.telemetry.process_report import WorkerReport
from posebus.topology import WORKERS_GROUP, Topology
from posebus.views import View
from tests.contract.conftest import MakeClient
from tests.samples import end, frame, held_writer
from workers.detections import Detections, ImageArray
from workers.engines.base import Head
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.inference.estimator import PoseEstimator
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
        self.stalled = False
        self.stalls_after = 10**9  # submissions
        self.submitted = 0
        self.on_submit: Callable[[], object] = lambda: None
        self._stuck: list[Future[list[Detections]]] = []

    def prepare(self, picture: Picture, fit: Letterbox) -> ImageArray:
        return fit.apply(picture.rgb(fit.resized_px))

    def submit(self, prepared: Sequence[ImageArray], *, hurry: bool = False) -> Future[list[Detections]]:
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
    """One camera's streams, a stage over them, and the tracker's view of the results."""

    def __init__(
        self,
        client: redis.Redis,
        delivery: Delivery = Delivery.LOSSLESS,
        shared: SharedFrames | None = None,
        consumer: str = "w1",
        **settings: Any,
    ) -> None:
        self.left: list[int] = []
        self.client = client
        self.broker = Broker(client, TOPOLOGY, "test")
        self.engine = OnePerson()
        self.settings = WorkerSettings(imgsz=96, **settings)
        self.delivery = delivery
        self.writers: dict[str, FrameProducer] = {}
        self.writer = self.camera("door")
        self.reader = FrameConsumer(self.broker, consumer, RetentionSettings(dead_entries=10))
        self.stage = PoseStage(
            self.reader,
            Registry(self.broker),
            PoseEstimator(self.engine, self.settings),
            self.settings,
            shared,
            leave=self.left.append,
        )

    def worker_report(self) -> WorkerReport:
        worker = self.stage.report().worker
        assert worker is not None
        return worker

    def camera(self, name: str) -> FrameProducer:
        if name not in self.writers:
            self.writers[name] = held_writer(self.broker, CameraRecord(name, self.delivery, "file"))
        return self.writers[name]

    def publish(
        self, seq: int, camera: str = "door", data: bytes = BLACK, encoding: str = "jpeg", views: tuple[View, ...] = ()
    ) -> None:
        writer = self.camera(camera)
        size = (WIDTH, HEIGHT)
        writer.publish(
            frame(
                seq,
                camera,
                data=data,
                encoding=encoding,
                image_size_px=size,
                size_px=(2 * WIDTH, 2 * HEIGHT),
                delivery=self.delivery,
                views=views,
            )
        )

    def run(self) -> None:
        """Step until everything that was published is answered, or held by nobody and left pending."""
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            self.stage.step(time.monotonic())
            waiting = [self.waiting(camera) for camera in self.writers]
            if self.stage.in_flight == 0 and all(entries == pending for entries, pending in waiting):
                return
        raise AssertionError(f"after 10 s there wait (entries, pending): {waiting}")

    def run_until_answered(self) -> None:
        """As `run`, and until nothing is left pending: what failed is tried again."""
        deadline_s = time.monotonic() + 10
        while self.waiting() != (0, 0):
            assert time.monotonic() < deadline_s
            self.run()
            time.sleep(0.03)

    def take_and_die(self, frames: int, consumer: str) -> None:
        """Another worker takes frames and is never heard of again."""
        FrameConsumer(self.broker, consumer, RetentionSettings(dead_entries=10)).read(["door"], frames, None)

    def letters(self) -> list[dict[bytes, bytes]]:
        return [fields for _, fields in self.client.xrange(TOPOLOGY.dead(0))]

    def noted(self) -> dict[bytes, tuple[Attempt, ...]]:
        """What stands against frames, by entry id."""
        found = self.client.hgetall(TOPOLOGY.attempts("door"))
        return {entry_id: attempts_from_json(value) for entry_id, value in found.items()}

    def step_until(self, condition: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline_s
            self.stage.step(time.monotonic())

    def poses(self, camera: str = "door") -> list[PoseFrame | Skipped | EndOfStream | None]:
        reader = PoseConsumer(self.broker, "t1", RetentionSettings())
        return [entry.body for entry in reader.read([camera], 99, None)]

    def waiting(self, camera: str = "door") -> tuple[int, int]:
        """(entries, pending entries) of the camera's frames."""
        key = TOPOLOGY.frames(camera)
        return self.client.xlen(key), self.client.xpending(key, WORKERS_GROUP)["pending"]


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench() -> Iterator[MakeBench]:
    """Benches whose threads end with the test."""
    benches: list[Bench] = []

    def make(*arguments: Any, **settings: Any) -> Bench:
        benches.append(Bench(*arguments, **settings))
        return benches[-1]

    yield make
    for bench in benches:
        bench.engine.release()
        bench.stage.close()


def test_every_frame_of_every_camera_becomes_poses_in_source_pixels(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    for seq in range(5):
        bench.publish(seq)
    bench.publish(0, "yard")
    bench.writer.publish(end(5))
    bench.run()
    door, yard = bench.poses(), bench.poses("yard")
    assert sorted(body.seq for body in door if isinstance(body, PoseFrame)) == [0, 1, 2, 3, 4]
    assert [body.seq for body in door if isinstance(body, EndOfStream)] == [5]
    (only,) = yard
    assert isinstance(only, PoseFrame)
    assert only.size_px == (2 * WIDTH, 2 * HEIGHT)
    assert only.boxes_xyxy_px[0] == pytest.approx([72, 32, 120, 96])
    assert bench.waiting() == bench.waiting("yard") == (0, 0)
    assert bench.worker_report().frames == 6


def test_a_frame_that_is_looked_at_in_several_ways_says_what_each_found(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    bench.publish(0, views=(View(64), View(96), View(64, 2, 1)))
    bench.publish(1)
    bench.run()
    entries = PoseConsumer(bench.broker, "t1", RetentionSettings()).read(["door"], 99, None)
    probed, plain = sorted(entries, key=lambda entry: entry.body.seq if entry.body is not None else -1)
    assert isinstance(probed.body, PoseFrame)
    assert isinstance(plain.body, PoseFrame)
    assert (probed.provenance.view, plain.provenance.view) == (View(64), None)
    assert plain.body.probes == ()
    assert [probe.view for probe in probed.body.probes] == [View(96), View(64, 2, 1)]
    whole, tiles = probed.body.probes
    # At 64 the input is higher than the picture in it, so that this person, of half its height, is higher, too.
    assert probed.body.boxes_xyxy_px[0, ::2] == pytest.approx([72, 120], abs=0.5)
    assert whole.boxes_xyxy_px[0] == pytest.approx([72, 32, 120, 96], abs=0.5)
    assert len(tiles.scores) == 2, "somebody in the middle of each tile"
    assert probed.body.appearance is not None
    assert probed.body.appearance.shape[0] == 1
    assert bench.engine.submitted == 5
    assert bench.waiting() == (0, 0)
    counted = bench.stage.report().metrics
    assert counted["posebus_inferences_total"] == [[5]]
    assert counted["posebus_input_pixels_total"] == [[3 * 64 * 64 + 2 * 96 * 64]]


def test_a_frame_of_several_views_that_fails_is_buried_once(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), max_deliveries=1)
    bench.engine.failing = True
    bench.publish(0, views=(View(64, 2, 2), View(96)))
    bench.run()
    assert [type(body) for body in bench.poses()] == [Skipped]
    assert len(bench.letters()) == 1
    assert bench.waiting() == (0, 0)


@pytest.mark.parametrize("wanted", [True, False])
def test_poses_say_what_people_wear_where_that_is_wanted(
    make_bench: MakeBench, make_client: MakeClient, wanted: bool
) -> None:
    bench = make_bench(make_client(), appearance=wanted)
    bench.publish(0)
    bench.run()
    (only,) = bench.poses()
    assert isinstance(only, PoseFrame)
    assert (only.appearance is not None) == wanted
    if only.appearance is not None:
        assert split(only.appearance)[1][0] == pytest.approx([0.8] * 4)


def test_masks_reach_subscribers_in_source_pixels(
    make_bench: MakeBench, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(make_client())
    mask = np.array(((36, 16), (60, 16), (48, 48)), np.float32)
    submit = bench.engine.submit

    def outlined(prepared: Sequence[ImageArray], *, hurry: bool = False) -> Future[list[Detections]]:
        future: Future[list[Detections]] = Future()
        (people,) = submit(prepared, hurry=hurry).result()
        future.set_result([replace(people, masks=(mask,))])
        return future

    monkeypatch.setattr(bench.engine, "submit", outlined)
    bench.publish(0)
    bench.run()
    plan = Plan(["door"], ("poses",), "start", TOPOLOGY, None)
    plan.discover(bench.client, first=True)
    entries = plan.entries(bench.client.xread(plan.read_from()))
    messages = [message for entry in entries if (message := decode_entry(entry)) is not None]
    (only,) = [message.body for message in messages]
    assert isinstance(only, PoseFrame)
    assert only.masks is not None
    assert only.boxes_xyxy_px[0] == pytest.approx([72, 32, 120, 96])
    np.testing.assert_allclose(only.masks[0], [[72, 32], [120, 32], [96, 96]])


def test_pictures_in_shared_memory_are_read_and_cleared_away(
    make_bench: MakeBench, make_client: MakeClient, tmp_path: Path
) -> None:
    shared = SharedFrames(tmp_path)
    bench = make_bench(make_client(), shared=shared)
    for seq in range(4):
        shared.put(f"door-1-{seq}", np.zeros(3 * WIDTH * HEIGHT, np.uint8).data.cast("B"))
        bench.publish(seq, data=f"door-1-{seq}".encode(), encoding="shared")
    bench.publish(4, data=b"door-1-4", encoding="shared")
    bench.run()
    kinds = {body.seq: type(body) for body in bench.poses() if body is not None}
    assert kinds == {0: PoseFrame, 1: PoseFrame, 2: PoseFrame, 3: PoseFrame, 4: Skipped}
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert b"the machine of their ingest" in letter[b"dead_reason"]
    assert all(path.name.startswith(".free-") for path in tmp_path.iterdir())


def test_a_worker_elsewhere_says_that_it_cannot_see_shared_pictures(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    bench.publish(0, data=b"door-1-0", encoding="shared")
    bench.run()
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert b"shared_frames" in letter[b"dead_reason"]


def test_a_damaged_picture_is_buried_and_its_neighbours_go_on(make_bench: MakeBench, make_client: MakeClient) -> None:
    bench = make_bench(make_client())
    bench.publish(0)
    bench.publish(1, data=b"\xff\xd8 this is no picture")
    bench.publish(2)
    bench.run()
    found = {body.seq: body for body in bench.poses() if body is not None}
    assert isinstance(found[1], Skipped)
    assert isinstance(found[0], PoseFrame)
    assert isinstance(found[2], PoseFrame)
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert b"does not decode" in letter[b"dead_reason"]
    assert letter[b"data"] == b"\xff\xd8 this is no picture"
    assert bench.waiting() == (0, 0)


def test_an_entry_of_nobody_is_buried(make_bench: MakeBench, make_client: MakeClient) -> None:
    bench = make_bench(make_client())
    bench.client.xadd(TOPOLOGY.frames("door"), {"hello": "world"})
    bench.publish(0)
    bench.run()
    assert [type(body) for body in bench.poses()] == [PoseFrame]
    assert bench.client.xlen(TOPOLOGY.dead(0)) == 1
    assert bench.waiting() == (0, 0)


def test_old_live_frames_are_skipped_unprocessed_and_counted(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), Delivery.LIVE, max_age_ms=50.0)
    bench.publish(0)
    time.sleep(0.2)
    bench.run()
    bench.publish(1)
    bench.run()
    old, fresh = bench.poses()
    assert isinstance(old, Skipped)
    assert old.reason == "too old"
    assert isinstance(fresh, PoseFrame)
    assert bench.engine.submitted == 1
    assert bench.worker_report().skipped == {"too old": 1}


def test_a_camera_that_fell_behind_is_seen_as_it_is_now(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), Delivery.LIVE, max_age_ms=1000.0)
    for seq in range(20):
        bench.publish(seq)
        bench.publish(seq, "yard")
    time.sleep(0.3)
    bench.run()
    for camera in ("door", "yard"):
        done = {body.seq: body for body in bench.poses(camera) if body is not None}
        assert isinstance(done.pop(19), PoseFrame)
        assert {body.reason for body in done.values() if isinstance(body, Skipped)} == {"overtaken"}
        assert len(done) == 19
    assert bench.engine.submitted == 2
    assert bench.waiting() == bench.waiting("yard") == (0, 0)


def test_live_frames_that_wait_for_a_moment_are_taken_in_order(make_bench: MakeBench, make_client: MakeClient) -> None:
    bench = make_bench(make_client(), Delivery.LIVE, max_age_ms=60_000.0)
    for seq in range(7):
        bench.publish(seq)
    bench.run()
    assert [body.seq for body in bench.poses() if isinstance(body, PoseFrame)] == list(range(7))


def test_a_lossless_frame_is_never_too_old(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), Delivery.LOSSLESS, max_age_ms=50.0)
    bench.publish(0)
    time.sleep(0.2)
    bench.run()
    assert [type(body) for body in bench.poses()] == [PoseFrame]


def test_a_frame_that_fails_again_and_again_is_buried(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), reclaim_after_s=0.02, max_deliveries=3)
    bench.engine.failing = True
    bench.publish(0)
    bench.run_until_answered()
    assert bench.engine.submitted == 3
    assert [type(body) for body in bench.poses()] == [Skipped]
    ((_, letter),) = bench.client.xrange(TOPOLOGY.dead(0))
    assert letter[b"dead_reason"] == (
        b"given up after 3 attempts in 1 worker; the last: RuntimeError: the device is on fire"
    )
    assert bench.waiting() == (0, 0)


def test_a_frame_that_failed_once_is_tried_again(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), reclaim_after_s=0.02)
    bench.engine.failing = True
    bench.publish(0)
    bench.run()
    bench.engine.failing = False
    bench.run_until_answered()
    assert [type(body) for body in bench.poses()] == [PoseFrame]


def test_a_commit_that_the_broker_did_not_answer_is_repeated(
    make_bench: MakeBench, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(make_client())
    bench.publish(0)
    commit, failures = bench.reader.commit, iter([True, True, False])

    def flaky(results: list[PoseResult]) -> None:
        if next(failures, False):
            raise BrokerUnavailable("gone for a moment")
        commit(results)

    monkeypatch.setattr(bench.reader, "commit", flaky)
    errors = 0
    while bench.waiting() != (0, 0):
        try:
            bench.stage.step(time.monotonic())
        except BrokerUnavailable:
            errors += 1
    assert errors == 2
    assert [type(body) for body in bench.poses()] == [PoseFrame]
    assert bench.waiting() == (0, 0)


def test_draining_finishes_what_was_taken_and_leaves_the_group(make_bench: MakeBench, make_client: MakeClient) -> None:
    bench = make_bench(make_client())
    for seq in range(4):
        bench.publish(seq)
    bench.stage.step(time.monotonic())
    bench.stage.drain()
    entries, pending = bench.waiting()
    assert pending == 0
    assert len(bench.poses()) == 4 - entries > 0
    assert bench.client.xinfo_consumers(TOPOLOGY.frames("door"), WORKERS_GROUP) == []


def test_a_worker_leaves_the_frames_that_it_cannot_hold_to_others(
    make_bench: MakeBench, make_client: MakeClient
) -> None:
    bench = make_bench(make_client())
    bench.engine.stalled = True
    for seq in range(30):
        bench.publish(seq)
    for _ in range(4):
        bench.stage.step(time.monotonic())
    assert bench.waiting()[1] == bench.engine.in_flight * bench.engine.batch
    assert isinstance(bench.reader.read(["door"], 1, None)[0].body, Frame)


def test_frames_of_a_dead_worker_are_tried_one_at_a_time(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), reclaim_after_s=0.05)
    for seq in range(7):
        bench.publish(seq)
    bench.take_and_die(7, "dead")
    under_suspicion: list[int] = []
    bench.engine.on_submit = lambda: under_suspicion.append(len(bench.noted()))
    bench.run_until_answered()
    assert sorted(body.seq for body in bench.poses() if isinstance(body, PoseFrame)) == list(range(7))
    # The first was a picture of nothing, with which the engine was set up.
    assert under_suspicion == [0, *[1] * 7]
    assert bench.noted() == {}


def test_a_frame_that_merely_was_in_many_workers_that_died_is_not_given_up(
    make_bench: MakeBench, real_url: str
) -> None:
    bench = make_bench(connect(real_url), reclaim_after_s=0.02, max_deliveries=3)
    bench.publish(0)
    bench.take_and_die(1, "dead-0")
    for number in range(1, 12):
        time.sleep(0.03)
        FrameConsumer(bench.broker, f"dead-{number}", RetentionSettings(dead_entries=10)).reclaim(["door"], 10, 4)
    bench.run_until_answered()
    assert [type(body) for body in bench.poses()] == [PoseFrame]


def test_while_a_suspect_is_tried_that_stands_against_it(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), reclaim_after_s=0.05)
    bench.publish(0)
    bench.take_and_die(1, "dead")
    bench.engine.stalls_after = 1  # it is set up with a picture of nothing first
    bench.step_until(lambda: bench.engine.submitted == 2)
    ((attempt,),) = bench.noted().values()
    assert (attempt.worker, attempt.outcome) == ("w1", GONE)
    bench.stage.drain()
    assert bench.noted() == {}, "leaving in order is no fault of the frame"


def test_a_frame_alone_in_workers_that_died_is_given_up_with_its_picture(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), reclaim_after_s=0.05, max_deliveries=2)
    bench.publish(0)
    bench.take_and_die(1, "dead-0")
    for number in (1, 2):
        reader = FrameConsumer(bench.broker, f"dead-{number}", RetentionSettings(dead_entries=10))
        while not (taken := reader.reclaim(["door"], 20, 4)):
            time.sleep(0.01)
        reader.note(taken[0], [*taken[0].attempts, reader.attempt(GONE)])
    bench.run_until_answered()
    assert bench.engine.submitted == 0
    ((mark,), (letter,)) = bench.poses(), bench.letters()
    assert isinstance(mark, Skipped)
    assert mark.reason == f"given up after 2 attempts in 2 workers; the last: {GONE}"
    assert [attempt.worker for attempt in attempts_from_json(letter[b"dead_attempts"])] == ["dead-1", "dead-2"]
    assert letter[b"data"] == BLACK
    assert bench.noted() == {}


def test_a_slow_engine_keeps_its_frames(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), reclaim_after_s=0.2)
    bench.engine.stalled = True
    bench.publish(0)
    bench.step_until(lambda: bench.engine.submitted == 1)
    rival = FrameConsumer(bench.broker, "rival", RetentionSettings(dead_entries=10))
    end_s = time.monotonic() + 1.0
    while time.monotonic() < end_s:
        bench.stage.step(time.monotonic())
        assert rival.reclaim(["door"], 200, 4) == []
    (row,) = bench.client.xpending_range(TOPOLOGY.frames("door"), WORKERS_GROUP, "-", "+", 9)
    assert (row["consumer"], row["times_delivered"]) == (b"w1", 1)


def test_who_failed_with_a_frame_leaves_it_to_others_first(make_bench: MakeBench, real_url: str) -> None:
    bench = make_bench(connect(real_url), reclaim_after_s=0.5)
    bench.engine.failing = True
    bench.publish(0)
    bench.run()
    bench.engine.failing = False
    rival = FrameConsumer(bench.broker, "rival", RetentionSettings(dead_entries=10))
    taken: list[FrameEntry] = []
    while not taken:
        bench.stage.step(time.monotonic())
        assert bench.waiting() == (1, 1), "it took it again itself"
        taken = rival.reclaim(["door"], 500, 4)
    assert [(attempt.worker, attempt.outcome) for attempt in taken[0].attempts] == [
        ("w1", "RuntimeError: the device is on fire")
    ]


def test_with_a_frame_that_hangs_the_worker_ends_and_that_stands_against_it(
    make_bench: MakeBench, real_url: str
) -> None:
    bench = make_bench(connect(real_url), hang_s=0.4)
    bench.publish(0)
    bench.run()
    bench.engine.stalled = True
    bench.publish(1)
    bench.step_until(lambda: bench.left)
    assert bench.left == [EXIT_STUCK]
    ((attempt,),) = bench.noted().values()
    assert (attempt.worker, attempt.outcome) == ("w1", "it hung in the engine for 0 s")


def test_a_dead_letter_has_its_picture_also_when_that_was_in_shared_memory(
    make_bench: MakeBench, real_url: str, tmp_path: Path
) -> None:
    shared = SharedFrames(tmp_path)
    bench = make_bench(connect(real_url), shared=shared, max_deliveries=1)
    bench.engine.failing = True
    blue = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    blue[..., 0] = 255
    shared.put("door-1-0", blue.data.cast("B"))
    bench.publish(0, data=b"door-1-0", encoding="shared")
    bench.run()
    (letter,) = bench.letters()
    assert (letter[b"encoding"], letter[b"image_size"]) == (b"jpeg", b"96x64")
    assert simplejpeg.decode_jpeg(letter[b"data"], "BGR")[0, 0] == pytest.approx([255, 0, 0], abs=4)
    assert (
        letter[b"dead_reason"]
        == b"given up after an attempt in 1 worker; the last: RuntimeError: the device is on fire"
    )
