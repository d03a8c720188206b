"""The ring of pictures and the snapshots in real brokers: bounds in bytes and seconds, expiry, and removal."""

from __future__ import annotations

import pytest

from posebus.bus.evidence.budget import RingBudget
from posebus.bus.evidence.ring import RingPicture, RingWriter, picture_of, pictures_around, pictures_of_epoch
from posebus.bus.evidence.snapshots import delete_snapshots, has_snapshot, read_snapshot, store_snapshot
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.errors import BrokerRefused
from posebus.messages import Delivery
from posebus.topology import Topology
from tests.contract.conftest import client_of

TOPOLOGY = Topology()
KEY = TOPOLOGY.evidence("door")


@pytest.fixture
def broker(real_url: str) -> Broker:
    return Broker(client_of(real_url), TOPOLOGY, "test")


def picture(seq: int, size_bytes: int = 20_000, epoch: int = 1) -> RingPicture:
    jpeg = b"\xff\xd8" + bytes([seq % 251]) * (size_bytes - 2)
    return RingPicture(epoch, seq, seq * 200_000_000, (1280, 720), (640, 360), jpeg)


def seqs(broker: Broker, epoch: int = 1) -> list[int]:
    return [one.seq for one in pictures_of_epoch(broker, "door", epoch)]


def test_the_ring_stays_within_its_bytes_through_small_and_large_pictures(broker: Broker) -> None:
    ring = RingWriter(broker, "door", seconds=600.0, max_bytes=1_000_000)
    sizes = []
    for seq in range(150):
        assert ring.add(picture(seq, size_bytes=(8_000, 60_000, 150_000)[seq // 50]))
        used = broker.client.memory_usage(KEY, samples=0)
        assert used is not None
        sizes.append(used)
    assert 0.7 * 1_000_000 < max(sizes) < 1.2 * 1_000_000
    assert seqs(broker)[-1] == 149


def test_the_broker_forgets_the_ring_when_no_picture_follows(broker: Broker) -> None:
    RingWriter(broker, "door", seconds=10.0, max_bytes=1_000_000).add(picture(0))
    left_ms = broker.client.pttl(KEY)
    assert 10_000 < left_ms <= 15_000
    RingWriter(broker, "door", seconds=0.001, max_bytes=1_000_000).add(picture(1))
    assert broker.client.pttl(KEY) <= 5_001


def test_a_restarted_writer_keeps_the_pictures_of_the_one_before_within_the_same_bytes(broker: Broker) -> None:
    first = RingWriter(broker, "door", seconds=600.0, max_bytes=500_000)
    for seq in range(10):
        first.add(picture(seq))
    second = RingWriter(broker, "door", seconds=600.0, max_bytes=500_000)
    second.add(picture(0, epoch=2))
    assert seqs(broker) == list(range(10))
    for seq in range(1, 60):
        second.add(picture(seq, epoch=2))
    assert seqs(broker) == []
    assert (broker.client.memory_usage(KEY, samples=0) or 0) < 1.2 * 500_000


def test_a_writer_that_was_replaced_adds_nothing_behind_its_successor(broker: Broker) -> None:
    old = RingWriter(broker, "door", seconds=600.0, max_bytes=500_000)
    assert old.add(picture(5))
    assert RingWriter(broker, "door", seconds=600.0, max_bytes=500_000).add(picture(0, epoch=2))
    assert not old.add(picture(6))
    assert not old.add(picture(5))
    assert (seqs(broker), seqs(broker, 2)) == ([5], [0])


def test_pictures_are_found_by_their_frame(broker: Broker) -> None:
    ring = RingWriter(broker, "door", seconds=600.0, max_bytes=5_000_000)
    for epoch, seq in ((1, 3), (1, 8), (2, 0), (2, 5), (2, 10)):
        ring.add(picture(seq, epoch=epoch))
    assert picture_of(broker, "door", 2, 5) == picture(5, epoch=2)
    assert picture_of(broker, "door", 2, 6) is None
    assert [one.seq for one in pictures_around(broker, "door", 2, 7)] == [5, 10]
    assert [one.seq for one in pictures_around(broker, "door", 2, 0)] == [5]
    assert [one.seq for one in pictures_around(broker, "door", 2, 11)] == [10]
    assert [one.seq for one in pictures_around(broker, "door", 1, 1)] == [3]
    assert pictures_around(broker, "door", 3, 1) == []


def test_entries_that_are_no_pictures_are_passed_over(broker: Broker) -> None:
    whole = {"epoch": 1, "captured_at_ns": 0, "size": "9x9", "image_size": "9x9", "data": b"\xff\xd8"}
    wrong = [{"a": "b"}, {**whole, "seq": 2, "data": b"GIF"}, {**whole, "seq": "x"}, {**whole, "seq": 4, "size": "0x9"}]
    for seq, fields in enumerate(wrong, start=1):
        broker.client.xadd(KEY, fields, id=f"1-{seq}")  # type: ignore[arg-type]
    assert seqs(broker) == []
    RingWriter(broker, "door", seconds=600.0, max_bytes=500_000).add(picture(9))
    assert picture_of(broker, "door", 1, 9) == picture(9)
    assert picture_of(broker, "door", 1, 2) is None


@pytest.mark.parametrize("seconds", [10.0, 0.5])
def test_the_budget_drops_what_is_too_old(seconds: float) -> None:
    budget = RingBudget(seconds, max_bytes=10**9)
    kept = [budget.add(1000, now_s=0.25 * number) for number in range(200)]
    assert kept[-1] == int(seconds / 0.25) + 1


def test_the_budget_counts_found_pictures_as_new() -> None:
    budget = RingBudget(10.0, max_bytes=10**9)
    budget.found(5, 1000, now_s=100.0)
    assert budget.add(1000, now_s=105.0) == 6
    assert budget.add(1000, now_s=110.5) == 2


def test_a_snapshot_is_stored_once_and_expires(broker: Broker) -> None:
    assert store_snapshot(broker, "door", (1, 5), b"first", keep_s=60.0, max_bytes=1_000_000)
    assert not store_snapshot(broker, "door", (1, 5), b"second", keep_s=60.0, max_bytes=1_000_000)
    assert (has_snapshot(broker, "door", (1, 5)), has_snapshot(broker, "door", (1, 6))) == (True, False)
    assert read_snapshot(broker, "door", (1, 5)) == b"first"
    assert 0 < broker.client.pttl(TOPOLOGY.snapshot("door", 1, 5)) <= 60_000
    assert 0 < broker.client.pttl(TOPOLOGY.snapshots("door")) <= 60_000


def test_the_oldest_snapshots_go_when_a_camera_has_too_many_bytes(broker: Broker) -> None:
    for seq in range(40):
        store_snapshot(broker, "door", (1, seq), bytes(20_000), keep_s=60.0, max_bytes=200_000)
        store_snapshot(broker, "gate", (1, 0), bytes(20_000), keep_s=60.0, max_bytes=200_000)
    there = [seq for seq in range(40) if has_snapshot(broker, "door", (1, seq))]
    assert there == list(range(32, 40))  # a byte counts as 1.25
    assert has_snapshot(broker, "gate", (1, 0))
    assert broker.client.xlen(TOPOLOGY.snapshots("door")) == 8
    used = sum(broker.client.memory_usage(TOPOLOGY.snapshot("door", 1, seq), samples=0) or 0 for seq in there)
    assert used < 200_000


def test_snapshots_that_expired_make_room(broker: Broker) -> None:
    for seq in range(8):
        store_snapshot(broker, "door", (1, seq), bytes(20_000), keep_s=60.0, max_bytes=200_000)
    broker.client.delete(TOPOLOGY.snapshot("door", 1, 7), TOPOLOGY.snapshot("door", 1, 6))
    store_snapshot(broker, "door", (1, 8), bytes(20_000), keep_s=60.0, max_bytes=200_000)
    assert [seq for seq in range(9) if has_snapshot(broker, "door", (1, seq))] == [0, 1, 2, 3, 4, 5, 8]
    assert broker.client.xlen(TOPOLOGY.snapshots("door")) == 7


def test_a_camera_that_is_removed_leaves_no_pictures(broker: Broker) -> None:
    registry = Registry(broker)
    for camera in ("door", "door2"):
        registry.add_camera(CameraRecord(camera, Delivery.LIVE, "network"))
        RingWriter(broker, camera, seconds=600.0, max_bytes=500_000).add(picture(1))
        store_snapshot(broker, camera, (1, 1), b"jpeg", keep_s=60.0, max_bytes=200_000)
    registry.remove_camera("door")
    assert [broker.client.exists(name) for name in (KEY, TOPOLOGY.snapshots("door"))] == [0, 0]
    assert not has_snapshot(broker, "door", (1, 1))
    assert has_snapshot(broker, "door2", (1, 1))
    assert delete_snapshots(broker, "door2") == 1
    assert delete_snapshots(broker, "door2") == 0


def test_a_list_of_snapshots_cannot_delete_other_keys(broker: Broker) -> None:
    broker.client.set(TOPOLOGY.state("door"), b"kept")
    broker.client.xadd(TOPOLOGY.snapshots("door"), {"key": TOPOLOGY.state("door"), "bytes": 1})
    delete_snapshots(broker, "door")
    assert broker.client.get(TOPOLOGY.state("door")) == b"kept"


def test_a_ring_that_was_refused_goes_on_with_the_next_picture(broker: Broker) -> None:
    ring = RingWriter(broker, "door", seconds=600.0, max_bytes=500_000)
    ring.add(picture(1))
    broker.client.delete(KEY)
    broker.client.set(KEY, b"foreign")
    with pytest.raises(BrokerRefused, match=r"holds something else under a name"):
        ring.add(picture(2))
    broker.client.delete(KEY)
    assert ring.add(picture(3))
