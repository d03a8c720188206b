"""Whole stages on a real broker full of senseless entries: they continue, and the sensible entries come through."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator

import numpy as np
import pytest
import redis
from fuzz.inputs import BYTES, EVENTS, FRAMES, POSES, TRACKS, VALUES, Make, change, fields, json_text, wire

from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import Broker, connect, open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings, TrackerSettings
from posebus.contract.codec import encode_poses
from posebus.contract.public_json import dump, parse, track_frame_from_json, track_frame_to_json
from posebus.endpoints.prometheus import DeploymentCollector
from posebus.messages import Delivery
from posebus.subscribing.subscriber import subscribe
from posebus.telemetry.overview import overview, read_deployment
from posebus.topology import Topology
from tests.contract.pose_stage_bench import Bench
from tests.polling import wait_until
from tests.samples import PROVENANCE, pose_frame, track_frame
from tracking.track_stage import TrackStage

pytestmark = pytest.mark.timeout(1800)

SNAPSHOTS = (b"", b"PBS1", b"PBS1" + bytes(8), b"PBS1\x02" + bytes(7) + b"{}", b"\x80\x04\x95pickle")


@pytest.fixture
def client(redis_server: str) -> Iterator[redis.Redis]:
    client = connect(redis_server)
    client.flushall()
    yield client
    client.flushall()


@pytest.fixture
def rng() -> random.Random:
    seed = random.SystemRandom().randrange(2**40)
    print(f"seed {seed}")  # noqa: T201
    return random.Random(seed)


def pour(client: redis.Redis, key: str, make: Make[dict[bytes, bytes]], rng: random.Random, number: int) -> None:
    """Append `number` senseless entries to the stream `key`."""
    pipeline = client.pipeline(transaction=False)
    for _ in range(number):
        pipeline.xadd(key, make(rng) or {b"": b""})
    pipeline.execute()


def upset_registry(client: redis.Redis, rng: random.Random, number: int) -> None:
    """Cameras and processes with senseless records, or sensible ones with one wrong value."""
    report = {"role": "tracker", "at_ns": time.time_ns(), "host": "h", "pid": 1, "ready": True, "imgsz": 640}
    report |= {"metrics": {"count": {"a": 1}}, "cameras": {"door": {"state": "online", "frames": 3, "skipped": 1}}}
    for index in range(number):
        record = json.loads(json.dumps(rng.choice((report, {"delivery": "live", "source": "file"}))))
        change(rng, record)
        text = rng.choice(
            (json.dumps(record).encode(), rng.choice(BYTES), b"[" * 2000, json.dumps(rng.choice(VALUES)).encode())
        )
        client.hset("posebus:{0}:processes", f"p{index}", text)
        client.hset(
            "posebus:{0}:cameras", rng.choice((b"\xff", b"a:b", b"", b"x{0}", b"a" * 300)) + b"%d" % index, text
        )


def test_worker_continues_among_senseless_entries(client: redis.Redis, rng: random.Random, thorough: bool) -> None:
    bench = Bench(client)
    bench.camera("yard")
    upset_registry(client, rng, 30)
    pour(client, bench.broker.topology.frames("door"), fields(FRAMES), rng, 3000 if thorough else 200)
    pour(client, bench.broker.topology.frames("yard"), fields(FRAMES), rng, 30)
    bench.publish(7, "yard")
    frames = [bench.broker.topology.frames(camera) for camera in ("door", "yard")]
    try:
        wait_until(
            lambda: not any(map(client.xlen, frames)),
            "an answer to every entry",
            meanwhile=lambda: bench.stage.step(time.monotonic()),
            poll_s=0.0,
        )
        bench.stage.report()
    finally:
        bench.stage.close()
    answers = [entry for _, entry in client.xrange(bench.broker.topology.poses("yard"))]
    assert b"7" in [answer[b"seq"] for answer in answers if answer[b"kind"] == b"poses"]
    assert client.xlen(bench.broker.topology.dead(0)) > 0


def test_tracker_continues_among_senseless_entries(client: redis.Redis, rng: random.Random, thorough: bool) -> None:
    broker = Broker(client, Topology(), "test")
    registry = Registry(broker)
    for camera in ("door", "yard", "gate"):
        registry.add_camera(CameraRecord(camera, Delivery.LIVE, "network"))
    client.set(broker.topology.state("door"), rng.choice(SNAPSHOTS))
    pour(client, broker.topology.poses("door"), fields(POSES), rng, 3000 if thorough else 200)
    pour(client, broker.topology.poses("yard"), wild_poses, rng, 1000 if thorough else 100)
    for seq in range(30):
        client.xadd(broker.topology.poses("gate"), encode_poses(pose_frame(seq, "gate"), PROVENANCE, 7))
    reader = PoseConsumer(broker, "t1", RetentionSettings())
    stage = TrackStage(broker, reader, "t1", TrackerSettings())
    tracks = broker.topology.tracks("gate")
    waiting = [broker.topology.poses(camera) for camera in ("door", "yard", "gate")]
    wait_until(
        lambda: client.xlen(tracks) == 30 and not any(map(client.xlen, waiting)),
        "the tracks of the sensible poses, and an end of the others",
        meanwhile=lambda: stage.step(time.monotonic()),
        poll_s=0.0,
    )
    stage.report()
    stage.drain()
    published = [entry for camera in ("door", "yard") for _, entry in client.xrange(broker.topology.tracks(camera))]
    assert published
    for entry in published:
        track_frame_from_json(parse(entry[b"data"]))  # rejects values that are not finite


def wild_poses(rng: random.Random) -> dict[bytes, bytes]:
    """Poses that follow the contract but make no sense: inverted boxes, joints anywhere, times that jump."""
    people, joints = rng.choice((0, 1, 2, 40)), rng.choice((0, 1, 17, 17, 17, 40))
    maker = np.random.default_rng(rng.getrandbits(32))
    reach = rng.choice((0.0, 1.0, 100.0, 1e4, 1e6))
    sides = maker.uniform(-reach, reach, (people, 4)).astype(np.float32)
    body = pose_frame(
        rng.randrange(2000),
        "yard",
        people,
        captured_at_ns=rng.choice((0, 2**63 - 1, rng.randrange(10**11))),
        size_px=rng.choice(((1, 1), (640, 480), (65_535, 65_535))),
        boxes_xyxy_px=sides,
        scores=maker.choice(np.array((0, 0.5, 1, -1, 1e6), np.float32), people),
        keypoints_px=maker.uniform(-reach, reach, (people, joints, 3)).astype(np.float32),
        appearance=rng.choice(
            (None, maker.uniform(-reach, reach, (people, rng.choice((0, 3, 96)))).astype(np.float32))
        ),
    )
    return wire(encode_poses(body, PROVENANCE, 7))


@pytest.mark.parametrize("group", [None, "g"])
def test_subscriber_continues_among_senseless_entries(
    client: redis.Redis, redis_server: str, rng: random.Random, thorough: bool, group: str | None
) -> None:
    Registry(open_broker(redis_server)).add_camera(CameraRecord("door", Delivery.LIVE, "network"))
    upset_registry(client, rng, 30)
    number = 500 if thorough else 100
    for kind, make in (("tracks:door", json_text(TRACKS)), ("events", json_text(EVENTS))):
        pour(client, f"posebus:{{0}}:{kind}", lambda rng, make=make: {b"data": make(rng)}, rng, number)
        pour(client, f"posebus:{{0}}:{kind}", fields(POSES), rng, number)
    pour(client, "posebus:{0}:poses:door", fields(POSES), rng, number)
    good = dump(track_frame_to_json(track_frame(10**9), PROVENANCE, 7))
    client.xadd("posebus:{0}:tracks:door", {"data": good})
    with subscribe(redis_server, kinds=("tracks", "events", "poses"), after="start", group=group) as messages:
        assert next(message for message in messages if getattr(message.body, "seq", None) == 10**9).camera == "door"


def test_top_and_metrics_work_with_senseless_records(
    client: redis.Redis, redis_server: str, rng: random.Random, thorough: bool
) -> None:
    broker = open_broker(redis_server)
    for _ in range(50 if thorough else 5):
        client.flushall()
        before = read_deployment(broker)
        upset_registry(client, rng, 20)
        json.dumps(overview(before, read_deployment(broker)).as_dict())
        list(DeploymentCollector(broker).collect())
