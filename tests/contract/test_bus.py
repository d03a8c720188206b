"""Guarantees of the bus that the stages rely on, on every kind of broker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import redis

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease, renew_all
from posebus.bus.plan_store import read_decisions
from posebus.bus.pose_consumer import PoseConsumer, TrackCommit
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.contract.plan import Decision, Directive, Plan
from posebus.errors import LeaseLost
from posebus.messages import Delivery, Frame, PoseFrame, Skipped
from posebus.topology import WORKERS_GROUP, Topology
from posebus.views import View
from tests.contract.conftest import MakeClient, client_of
from tests.samples import BEGUN, PROVENANCE, end, event, frame, held_writer, pose_frame, track_frame

TOPOLOGY = Topology()


def broker(client: redis.Redis) -> Broker:
    return Broker(client, TOPOLOGY, "test")


def writer(client: redis.Redis, camera: str = "door", delivery: Delivery = Delivery.LOSSLESS) -> FrameProducer:
    return held_writer(broker(client), CameraRecord(camera, delivery, "file"))


def reader(client: redis.Redis, consumer: str = "w1") -> FrameConsumer:
    return FrameConsumer(broker(client), consumer, RetentionSettings(dead_entries=10))


def poses(client: redis.Redis, consumer: str = "t1") -> PoseConsumer:
    return PoseConsumer(broker(client), consumer, RetentionSettings())


def lease(client: redis.Redis, owner: str, ttl_s: float = 5.0) -> Lease:
    return Lease(broker(client), "door", "tracker", owner, ttl_s)


def result(entry: FrameEntry) -> PoseResult:
    assert isinstance(entry.body, Frame)
    return PoseResult(entry, pose_frame(entry.body.seq, entry.camera), PROVENANCE)


def test_frames_are_read_once_in_order_and_complete(make_client: MakeClient) -> None:
    out, one, two = writer(make_client()), reader(make_client(), "w1"), reader(make_client(), "w2")
    for seq in range(4):
        out.publish(frame(seq))
    first, second = one.read(["door"], 2, None), two.read(["door"], 9, None)
    assert [entry.body.seq for entry in first + second if entry.body] == [0, 1, 2, 3]
    assert first[0].body == frame(0, published_at_ns=first[0].body.published_at_ns)  # type: ignore[union-attr]
    assert one.read(["door"], 9, None) == []


def test_each_run_of_a_camera_has_its_own_epoch(make_client: MakeClient) -> None:
    out = writer(make_client())
    assert [out.open_epoch(BEGUN), out.open_epoch(BEGUN)] == [2, 3]


def test_backlog_counts_bytes_of_frames_not_yet_committed(make_client: MakeClient) -> None:
    client = make_client()
    out, worker = writer(client), reader(client)
    for seq in range(3):
        backlog = out.publish(frame(seq))
    assert (backlog.frames, backlog.frames_bytes, backlog.poses) == (3, 3 * 1002, 0)
    entries = worker.read(["door"], 2, None)
    assert out.backlog().frames == 3, "taken is not committed"
    worker.commit([result(entry) for entry in entries])
    backlog = out.backlog()
    assert (backlog.frames, backlog.frames_bytes, backlog.poses) == (1, 1002, 2)


def test_live_overflow_skips_the_oldest_unread_frames_and_leaves_marks(make_client: MakeClient) -> None:
    client = make_client()
    out, worker, tracker = writer(client, delivery=Delivery.LIVE), reader(client), poses(client)
    out.publish(frame(0, delivery=Delivery.LIVE))
    busy = worker.read(["door"], 1, None)
    for seq in range(1, 5):
        out.publish(frame(seq, delivery=Delivery.LIVE))
    assert out.skip_oldest(max_bytes=2500) == 3
    marks = [entry.body for entry in tracker.read(["door"], 9, None)]
    assert [(type(mark), mark.seq, mark.reason) for mark in marks if isinstance(mark, Skipped)] == [
        (Skipped, seq, "overflow") for seq in (1, 2, 3)
    ]
    worker.commit([result(entry) for entry in busy])
    assert [entry.body.seq for entry in worker.read(["door"], 9, None) if entry.body] == [4], "the freshest stays"


def test_a_commit_publishes_acknowledges_and_deletes(make_client: MakeClient) -> None:
    client = make_client()
    out, worker, tracker = writer(client), reader(client), poses(client)
    out.publish(frame(0))
    out.publish(end(1))
    taken = worker.read(["door"], 9, None)
    worker.commit([result(taken[0]), PoseResult(taken[1], end(1))])
    assert client.xlen(TOPOLOGY.frames("door")) == 0
    assert client.xpending(TOPOLOGY.frames("door"), WORKERS_GROUP)["pending"] == 0
    first, second = tracker.read(["door"], 9, None)
    assert isinstance(first.body, PoseFrame)
    assert (first.body.boxes_xyxy_px == pose_frame(0).boxes_xyxy_px).all()
    assert first.provenance is not None
    assert first.provenance.frame_published_at_ns == PROVENANCE.frame_published_at_ns
    assert second.body == end(1).__class__("door", 1, 1, 40_000_000, Delivery.LOSSLESS, "end of file",
                                           second.body.published_at_ns)  # type: ignore[union-attr]  # fmt: skip


def test_a_malformed_entry_is_delivered_with_its_defect_and_can_be_dead_lettered(
    make_client: MakeClient,
) -> None:
    client = make_client()
    writer(client)
    client.xadd(TOPOLOGY.frames("door"), {"kind": "frame", "v": "1", "camera": "door"})
    worker = reader(client)
    (entry,) = worker.read(["door"], 1, None)
    assert entry.body is None
    assert "encoding is missing" in str(entry.defect)
    worker.commit([PoseResult(entry, None, dead_reason="malformed")])
    ((_, fields),) = client.xrange(TOPOLOGY.dead(0))
    assert fields[b"dead_reason"] == b"malformed"
    assert client.xlen(TOPOLOGY.frames("door")) == 0


def test_tracks_events_state_and_acknowledgement_are_committed_together(make_client: MakeClient) -> None:
    client = make_client()
    out, worker, tracker = writer(client), reader(client), poses(client)
    out.publish(frame(0))
    worker.commit([result(entry) for entry in worker.read(["door"], 1, None)])
    (entry,) = tracker.read(["door"], 1, None)
    own = lease(client, "t1")
    assert own.acquire()
    plan, decisions = Plan(1, 0, (Directive(1, 0, 0, View(416)),)), [Decision(1, 0, 0, "imgsz", "416", "enough")]
    commit = TrackCommit("door", [(track_frame(0), PROVENANCE)], [event(0)], b"state", [entry.entry_id])
    tracker.commit(replace(commit, plan=plan, decisions=decisions), own)
    assert client.xlen(TOPOLOGY.tracks("door")) == client.xlen(TOPOLOGY.events(0)) == 1
    assert client.xlen(TOPOLOGY.poses("door")) == 0
    assert tracker.state("door") == b"state"
    assert read_decisions(broker(client), "door") == (plan, tuple(decisions))


def test_a_tracker_that_lost_its_lease_cannot_commit(make_client: MakeClient) -> None:
    client = make_client()
    writer(client)
    paused, successor = lease(client, "t1"), lease(make_client(), "t2")
    assert paused.acquire()
    assert not successor.acquire()
    client.delete(paused.key)  # as if it had expired while its owner slept
    assert successor.acquire()
    assert successor.token > paused.token
    assert not paused.renew()
    stale = TrackCommit("door", [(track_frame(0), PROVENANCE)], [], b"stale", [], Plan(1, 0, (Directive(1, 0, 0),)))
    with pytest.raises(LeaseLost) as caught:
        poses(client).commit(stale, paused)
    assert caught.value.camera == "door"
    assert not client.exists(TOPOLOGY.plan("door")), "nor may it say what is to be looked at"
    assert client.xlen(TOPOLOGY.tracks("door")) == 0
    assert poses(client).state("door") is None
    paused.release()
    assert successor.renew(), "a stale release must not free the successor's lease"


def test_leases_are_renewed_together_except_those_that_were_lost(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posebus.bus.lease.RENEWED_AT_ONCE", 2)
    client = make_client()
    topology = Topology(shards=3)
    several = Broker(client, topology, "test")
    cameras = [f"door-{number}" for number in range(6)]
    assert len({topology.shard(camera) for camera in cameras}) > 1
    own = [Lease(several, camera, "tracker", "t1", ttl_s=5.0) for camera in cameras]
    assert all(each.acquire() for each in own)
    client.pexpire(own[1].key, 1000)
    client.set(own[2].key, "t2:9")
    client.delete(own[3].key)
    assert {lost.camera for lost in renew_all(several, own)} == {"door-2", "door-3"}
    assert client.pttl(own[1].key) > 1000
    assert client.get(own[2].key) == b"t2:9"
    assert not client.exists(own[3].key)
    assert renew_all(several, []) == []


def test_a_lease_whose_owner_changes_during_a_renewal_is_lost_alone(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, rival = make_client(), make_client()
    own = [Lease(broker(client), camera, "tracker", "t1", ttl_s=5.0) for camera in ("door", "yard")]
    assert all(each.acquire() for each in own)
    mget = redis.client.Pipeline.mget

    def meanwhile(pipeline: Any, keys: Any) -> Any:
        values = mget(pipeline, keys)
        rival.set(own[0].key, "t2:9")
        return values

    monkeypatch.setattr(redis.client.Pipeline, "mget", meanwhile)
    client.pexpire(own[1].key, 1000)
    assert renew_all(broker(client), own) == [own[0]]
    assert client.get(own[0].key) == b"t2:9"
    assert client.pttl(own[1].key) > 1000


def test_a_missing_group_is_created_again_and_has_nothing_to_take_over(make_client: MakeClient) -> None:
    client = make_client()
    out, worker, tracker = writer(client), reader(client), poses(client)
    client.delete(TOPOLOGY.poses("door"))  # as if the broker had lost its memory
    assert tracker.take_over("door", 0) == []
    out.publish(frame(0))
    worker.commit([result(entry) for entry in worker.read(["door"], 1, None)])
    assert [entry.camera for entry in tracker.read(["door"], 1, None)] == ["door"]
    assert [entry.camera for entry in poses(client, "t2").take_over("door", 0)] == ["door"]


def test_a_removed_camera_leaves_no_key(make_client: MakeClient) -> None:
    client = make_client()
    out = writer(client)
    out.publish(frame(0))
    registry = Registry(broker(client))
    assert [record.camera for record in registry.cameras()] == ["door"]
    registry.remove_camera("door")
    assert registry.cameras() == []
    assert client.keys("*door*") == []


def test_processes_that_report_are_listed_until_they_retire(make_client: MakeClient) -> None:
    registry = Registry(broker(make_client()))
    registry.report("worker-1", "worker", {"frames": 3})
    assert registry.processes()["worker-1"]["frames"] == 3
    registry.retire("worker-1")
    assert registry.processes() == {}


def test_a_dead_workers_frames_are_taken_over_with_their_count_of_deliveries(real_url: str) -> None:
    client = client_of(real_url)
    out, dead, heir = writer(client), reader(client, "dead"), reader(client, "heir")
    out.publish(frame(0))
    dead.read(["door"], 1, None)
    assert heir.read(["door"], 1, None) == []
    (entry,) = heir.reclaim(["door"], 0, 10)
    assert (entry.body.seq if entry.body else None, entry.deliveries) == (0, 2)


def test_a_dead_trackers_entries_are_taken_over(real_url: str) -> None:
    client = client_of(real_url)
    out, worker, dead, heir = writer(client), reader(client), poses(client, "dead"), poses(client, "heir")
    for seq in range(3):
        out.publish(frame(seq))
    worker.commit([result(entry) for entry in worker.read(["door"], 9, None)])
    assert len(dead.read(["door"], 2, None)) == 2
    assert [entry.body.seq for entry in heir.take_over("door", 0) if entry.body] == [0, 1]
    assert [entry.body.seq for entry in heir.read(["door"], 9, None) if entry.body] == [2]
