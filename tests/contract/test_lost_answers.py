"""Connections that break between a command and its answer, and reads that wait for several servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import redis

from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease, renew_all
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord
from posebus.config.settings import RetentionSettings
from posebus.errors import BrokerUnavailable
from posebus.messages import Delivery, Frame
from tests.contract.conftest import BACKENDS
from tests.faults.tcp_proxy import TcpProxy
from tests.samples import frame, held_writer

SHARDS = 8


@pytest.fixture
def proxy(redis_server: str) -> Iterator[TcpProxy]:
    """A proxy in front of an empty redis-server."""
    open_broker(redis_server).client.flushall()
    with TcpProxy(urlsplit(redis_server).port or 0) as between:
        yield between


def writer(broker: Broker, camera: str = "door") -> FrameProducer:
    return held_writer(broker, CameraRecord(camera, Delivery.LOSSLESS, "file"))


def seqs(reader: FrameConsumer, cameras: list[str], block_ms: int | None = None) -> list[int]:
    bodies = [entry.body for entry in reader.read(cameras, 10, block_ms)]
    return [body.seq for body in bodies if isinstance(body, Frame)]


@pytest.mark.parametrize("answer_bytes", [0, 3, 500])
def test_frames_of_a_lost_answer_come_with_the_next_read(redis_server: str, proxy: TcpProxy, answer_bytes: int) -> None:
    publishing = writer(open_broker(redis_server))
    reader = FrameConsumer(open_broker(proxy.url), "w1", RetentionSettings(dead_entries=10))
    publishing.publish(frame(0))
    assert seqs(reader, ["door"]) == [0]
    for seq in (1, 2):
        publishing.publish(frame(seq))
    proxy.break_after(answer_bytes)
    with pytest.raises(BrokerUnavailable, match="no answer"):
        reader.read(["door"], 10, None)
    proxy.restore()
    publishing.publish(frame(3))
    assert seqs(reader, ["door"]) == [1, 2]
    assert seqs(reader, ["door"]) == [3]
    assert seqs(reader, ["door"]) == []


def test_a_frame_that_was_committed_meanwhile_is_not_delivered_again(redis_server: str, proxy: TcpProxy) -> None:
    direct = open_broker(redis_server)
    publishing = writer(direct)
    reader = FrameConsumer(open_broker(proxy.url), "w1", RetentionSettings(dead_entries=10))
    publishing.publish(frame(0))
    publishing.publish(frame(1))
    proxy.break_after(0)
    with pytest.raises(BrokerUnavailable):
        reader.read(["door"], 10, None)
    proxy.restore()
    key = direct.topology.frames("door")
    first = direct.client.xrange(key, count=1)[0][0]  # type: ignore[index]
    direct.client.xdel(key, first)
    assert seqs(reader, ["door"]) == [1]


def test_a_connection_that_breaks_in_a_transaction_is_not_taken_for_a_rival(proxy: TcpProxy) -> None:
    broker = open_broker(proxy.url)
    with broker.client.pipeline(transaction=True) as pipeline:
        pipeline.watch("posebus:{0}:lease:door:tracker")  # type: ignore[no-untyped-call]
        pipeline.multi()
        pipeline.set("posebus:{0}:state:door", b"state")
        proxy.break_connections()
        with pytest.raises(redis.ConnectionError):
            pipeline.execute()
    with broker.client.pipeline(transaction=True) as pipeline:
        pipeline.watch("posebus:{0}:lease:door:tracker")  # type: ignore[no-untyped-call]
        proxy.break_connections()
        with pytest.raises(redis.ConnectionError):
            pipeline.get("posebus:{0}:lease:door:tracker")
    lease = Lease(broker, "door", "tracker", "me", ttl_s=60.0)
    assert lease.acquire()
    proxy.break_after(3)
    with pytest.raises(BrokerUnavailable):
        renew_all(broker, [lease])
    proxy.restore()
    assert renew_all(broker, [lease]) == []


@pytest.mark.parametrize("kind", ["valkey", "redis", "cluster", "valkey-cluster"])
def test_one_read_waits_for_the_cameras_of_all_shards(request: pytest.FixtureRequest, kind: str) -> None:
    broker = open_broker(request.getfixturevalue(BACKENDS[kind]), SHARDS)
    broker.client.flushall()
    topology = broker.topology
    cameras = [next(f"c{n}" for n in range(500) if topology.shard(f"c{n}") == shard) for shard in range(SHARDS)]
    reader = FrameConsumer(broker, "w1", RetentionSettings(dead_entries=10))
    writers = [writer(broker, camera) for camera in cameras]
    assert seqs(reader, cameras) == []
    for number, publishing in enumerate(writers):
        later = threading.Timer(0.05, publishing.publish, [frame(number, camera=cameras[number])])
        later.start()
        # If the shards were waited for one after the other, this would return nothing.
        assert seqs(reader, cameras, block_ms=4000) == [number]
        later.join()


def test_a_group_that_one_node_lost_comes_back_though_other_nodes_always_have_frames(cluster_url: str) -> None:
    broker = open_broker(cluster_url, SHARDS)
    broker.client.flushall()
    cameras = [f"camera-{number}" for number in range(20)]
    lost = cameras[0]
    busy = next(name for name in cameras if broker.topology.shard(name) != broker.topology.shard(lost))
    of_busy, of_lost = writer(broker, busy), writer(broker, lost)
    reader = FrameConsumer(broker, "w1", RetentionSettings(dead_entries=10))
    broker.client.delete(broker.topology.frames(lost))
    of_lost.publish(frame(0, lost))
    found: list[str] = []
    for seq in range(3):
        of_busy.publish(frame(seq, busy))
        found += [entry.camera for entry in reader.read([busy, lost], 1, None)]
    assert sorted(found) == sorted([busy] * 3 + [lost])
