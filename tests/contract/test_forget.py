"""`posebus forget` against real brokers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import typer

from posebus.bus.evidence.ring import RingPicture, RingWriter
from posebus.bus.evidence.snapshots import store_snapshot
from posebus.bus.former_keys import former_attempts
from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.lease import Lease
from posebus.bus.pose_consumer import PoseConsumer, TrackCommit
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.contract.plan import Directive, Plan
from posebus.messages import Delivery, Skipped
from posebus.topology import KEYS, OF_SINK, Topology
from posebus.views import View
from posebus_cli.operate.forget import forget
from tests.samples import BEGUN, PROVENANCE, event, frame, held_writer, pose_frame, track_frame

TOPOLOGY = Topology()


def publish(url: str, camera: str) -> Registry:
    broker = open_broker(url)
    writer = held_writer(broker, CameraRecord(camera, Delivery.LIVE, "network"))
    writer.publish(frame(0, camera))
    return Registry(broker)


def use_every_key(url: str) -> tuple[FrameConsumer, FrameEntry, PoseConsumer]:
    """Let all roles write whatever they write about the camera `door`; returns a worker with a frame in flight."""
    broker = open_broker(url)
    writer = held_writer(broker, CameraRecord("door", Delivery.LOSSLESS, "file"))
    for seq in range(3):
        writer.publish(frame(seq), [event(seq)], replace(BEGUN, epoch=1, seq=seq + 1))
    worker = FrameConsumer(broker, "worker")
    first, second, third = worker.read(["door"], 3, None)
    dead = PoseResult(second, Skipped("door", 1, 1, 1, Delivery.LOSSLESS, "dead"), PROVENANCE, dead_reason="it hung")
    worker.commit([PoseResult(first, pose_frame(0), PROVENANCE), dead])
    worker.note(third, [worker.attempt("it hung")])
    broker.client.hset(former_attempts(TOPOLOGY, "door"), "1-1", "[]")
    tracker = PoseConsumer(broker, "tracker", RetentionSettings())
    lease = Lease(broker, "door", "tracker", "tracker", 60.0)
    assert lease.acquire()
    done = [entry.entry_id for entry in tracker.read(["door"], 1, None)]
    plan = Plan(1, 0, (Directive(1, 0, 0, View(416)),))
    tracker.commit(TrackCommit("door", [(track_frame(0), PROVENANCE)], [event(9)], b"state", done, plan=plan), lease)
    RingWriter(broker, "door", 60.0, 1_000_000).add(RingPicture(1, 0, 0, (640, 480), (640, 480), b"\xff\xd8"))
    store_snapshot(broker, "door", (1, 0), b"\xff\xd8", keep_s=60.0, max_bytes=1_000_000)
    broker.client.hset(TOPOLOGY.processes(), "gone", '{"role": "ingest", "at_ns": 0, "cameras": {"door": {}}}')
    return worker, third, tracker


def everything(url: str) -> dict[str, Any]:
    """All keys of the broker with their values."""
    client: Any = open_broker(url).client
    readers = {b"stream": client.xrange, b"hash": client.hgetall, b"string": client.get}
    servers: Any = open_broker(url).servers().values()
    return {key.decode(): readers[client.type(key)](key) for server in servers for key in server.keys("*")}


OF_NO_CAMERA = {"events", "dead", "reclaim_lock", "cameras", "processes"}


def test_removed_camera_leaves_nothing_behind(real_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    registry = publish(real_url, "yard")
    registry.report("alive", "tracker", {"cameras": {"yard": {}}})
    worker, in_flight, tracker = use_every_key(real_url)
    before = everything(real_url)
    kinds = {key.split(":")[2] for key in before if ":door" in key}
    assert kinds >= {row.kind for row in KEYS} - OF_NO_CAMERA - set(OF_SINK)
    assert "door" in str([before[TOPOLOGY.events(0)], before[TOPOLOGY.dead(0)], before[TOPOLOGY.processes()]])
    forget(["door"], redis=real_url)
    assert capsys.readouterr().out == "door was removed\n"
    # Processes that have not read the registry since go on for a moment.
    worker.commit([PoseResult(in_flight, pose_frame(2), PROVENANCE)])
    assert worker.read(["door"], 1, 1) == []
    assert tracker.read(["door"], 1, 1) == []
    assert tracker.take_over("door", 0) == []
    worker.leave(["door"])
    after = everything(real_url)
    assert "door" not in str(after)
    assert {key: value for key, value in before.items() if "yard" in key} == {
        key: value for key, value in after.items() if "yard" in key
    }
    assert [record.camera for record in registry.cameras()] == ["yard"]
    assert set(registry.processes()) == {"alive"}


def test_what_is_left_of_a_camera_that_is_not_registered_is_removed(real_url: str) -> None:
    use_every_key(real_url)
    open_broker(real_url).client.hdel(TOPOLOGY.cameras(0), "door")
    forget(["door"], redis=real_url)
    assert "door" not in str(everything(real_url))


def test_camera_that_is_being_read_and_unknown_camera_are_refused(
    real_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = publish(real_url, "door")
    registry.report("ingest-1", "ingest", {"cameras": {"door": {}}})
    with pytest.raises(typer.Exit) as caught:
        forget(["door", "nowhere"], redis=real_url)
    assert caught.value.exit_code == 1
    printed = capsys.readouterr().err
    assert "door is still being read" in printed
    assert "there is no camera 'nowhere'" in printed
    assert [record.camera for record in registry.cameras()] == ["door"]
