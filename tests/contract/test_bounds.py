"""Streams against real brokers, filled beyond their bounds in bytes."""

from __future__ import annotations

from typing import Any

import pytest

from posebus.bus.frame_consumer import FrameConsumer, PoseResult
from posebus.bus.lease import Lease
from posebus.bus.pose_consumer import PoseConsumer, TrackCommit
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings, TrackerSettings
from posebus.contract.events import EVENT_BYTES
from posebus.contract.public_json import event_from_json, parse
from posebus.messages import CaptureClock, Delivery, Event, EventType, Provenance
from posebus.topology import Topology
from tests.contract.conftest import client_of
from tests.samples import PROVENANCE, event, frame, held_writer, pose_frame, track_frame
from tracking.camera_tracking import CameraTracking

TOPOLOGY = Topology()
LIVE = Provenance(CaptureClock.ARRIVAL, Delivery.LIVE, frame_published_at_ns=5, published_at_ns=6)


@pytest.fixture
def broker(real_url: str) -> Broker:
    broker = Broker(client_of(real_url), TOPOLOGY, "test")
    Registry(broker).add_camera(CameraRecord("door", Delivery.LIVE, "synthetic"))
    return broker


def memory(broker: Broker, key: str) -> int:
    used = broker.client.memory_usage(key, samples=0)
    assert used is not None
    return used


def test_tracks_stay_within_their_bytes_through_crowds_and_a_change_of_tracker(broker: Broker) -> None:
    retention = RetentionSettings(tracks_bytes=200_000, tracks_entries=100_000)
    key = TOPOLOGY.tracks("door")
    seq, sizes = 0, []
    for people in (1, 12, 0, 5):
        lease = Lease(broker, "door", "tracker", f"tracker-{people}", 600.0)
        assert lease.acquire()
        reader = PoseConsumer(broker, "tracker", retention)
        reader.state("door")
        for _ in range(12):
            tracks = [(track_frame(seq + n, ids=tuple(range(people))), PROVENANCE) for n in range(40)]
            reader.commit(TrackCommit("door", tracks, [], b"", []), lease)
            seq += 40
            sizes.append(memory(broker, key))
        lease.release()
    assert 0.8 * 200_000 < max(sizes) < 1.2 * 200_000
    newest: Any = broker.client.xrevrange(key, count=1)
    assert newest[0][1][b"seq"] == str(seq - 1).encode()


def test_no_event_is_larger_than_the_size_that_is_counted_for_it(broker: Broker) -> None:
    lease = Lease(broker, "door", "tracker", "me", 600.0)
    assert lease.acquire()
    retention = RetentionSettings(events_bytes=200_000)
    reader = PoseConsumer(broker, "tracker", retention)
    longest: list[Event] = [event(n, kind=EventType.CAMERA_OFFLINE) for n in range(400)]
    for one in longest:
        one.data["reason"] = "ö" * 400
        one.data["keypoints_px"] = [[1023.4, 1023.4, 0.9876]] * 17
    for first in range(0, 400, 20):
        reader.commit(TrackCommit("door", [], longest[first : first + 20], b"", []), lease)
    assert broker.client.xlen(TOPOLOGY.events(0)) < 1.2 * 200_000 / EVENT_BYTES
    assert memory(broker, TOPOLOGY.events(0)) < 200_000


def test_the_largest_fields_of_an_event_that_is_too_large_are_left_out(broker: Broker) -> None:
    lease = Lease(broker, "door", "tracker", "me", 600.0)
    assert lease.acquire()
    large = event(1)
    large.data.update(rule="gate", text="ö" * EVENT_BYTES, numbers=list(range(900)), **{f"n{n}": n for n in range(20)})
    tracker = PoseConsumer(broker, "tracker", RetentionSettings())
    tracker.commit(TrackCommit("door", [], [large] * 40, b"", []), lease)
    entries: Any = broker.client.xrange(TOPOLOGY.events(0))
    kept = event_from_json(parse(entries[0][1][b"data"]))
    assert kept.data.pop("left_out") == ["text", "numbers"]
    assert kept.data == {name: value for name, value in large.data.items() if name not in ("text", "numbers")}
    assert memory(broker, TOPOLOGY.events(0)) < 40 * EVENT_BYTES


def test_oldest_poses_of_a_live_camera_without_a_tracker_are_dropped_and_reported_as_a_gap(broker: Broker) -> None:
    retention = RetentionSettings(poses_bytes=200_000)
    writer = held_writer(broker, CameraRecord("door", Delivery.LIVE, "synthetic"))
    workers = [FrameConsumer(broker, f"worker-{n}", retention) for n in range(2)]
    trackers = PoseConsumer(broker, "tracker", retention)
    first = {int(e.body.seq) for e in trackers.read(["door"], 64, None) if e.body is not None}
    assert not first
    for seq in range(400):
        writer.publish(frame(seq, delivery=Delivery.LIVE, clock=CaptureClock.ARRIVAL))
        (entry,) = workers[seq % 2].read(["door"], 1, None)
        workers[seq % 2].commit([PoseResult(entry, pose_frame(seq, people=3), LIVE)])
        if seq == 10:
            # This tracker dies with some of them in flight.
            assert len(trackers.read(["door"], 64, None)) == 11
    assert memory(broker, TOPOLOGY.poses("door")) < 1.2 * 200_000
    successor = PoseConsumer(broker, "successor", retention)
    entries = successor.take_over("door", 0)
    while read := successor.read(["door"], 64, None):
        entries += read
    tracking = CameraTracking("door", Delivery.LIVE, TrackerSettings())
    for entry in entries:
        tracking.push(entry, 100.0)
    outcome = tracking.advance(200.0)
    seqs = [tracked.seq for tracked, _ in outcome.tracks]
    assert seqs == list(range(seqs[0], 400))
    assert seqs[0] > 100
    assert sum(outcome.skipped.values()) == seqs[0]


def test_poses_of_a_recording_are_never_dropped(broker: Broker) -> None:
    worker = FrameConsumer(broker, "worker", RetentionSettings(poses_bytes=100_000))
    writer = held_writer(broker, CameraRecord("door", Delivery.LOSSLESS, "file"))
    for seq in range(300):
        writer.publish(frame(seq))
        (entry,) = worker.read(["door"], 1, None)
        worker.commit([PoseResult(entry, pose_frame(seq, people=3), PROVENANCE)])
    assert broker.client.xlen(TOPOLOGY.poses("door")) == 300


def test_dead_letters_of_any_size_stay_within_their_bytes(broker: Broker) -> None:
    worker = FrameConsumer(broker, "worker", RetentionSettings(dead_bytes=500_000))
    writer = held_writer(broker, CameraRecord("door", Delivery.LOSSLESS, "file"))
    for seq, size in enumerate([40_000] * 30 + [300_000, 100] * 4):
        writer.publish(frame(seq, data=b"\xff\xd8" + bytes(size)))
        (entry,) = worker.read(["door"], 1, None)
        worker.commit([PoseResult(entry, None, dead_reason="it is a test")])
        assert memory(broker, TOPOLOGY.dead(0)) < 1.25 * 500_000
    newest: Any = broker.client.xrevrange(TOPOLOGY.dead(0), count=1)
    assert newest[0][1][b"seq"] == b"37"
