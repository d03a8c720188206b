"""The warnings of `top` about the memory of the broker."""

from __future__ import annotations

import pytest

from posebus.bus.redis.connection import Broker, connect
from posebus.config.settings import RetentionSettings
from posebus.telemetry.broker_memory import KEYS_A_SAMPLE, BrokerMemory, MemorySampler
from posebus.topology import Topology


def test_no_warning_while_no_bound_is_near() -> None:
    memory = BrokerMemory(500, 1000, {("poses", "door"): 1000, ("dead", ""): 0})
    assert memory.warnings(RetentionSettings()) == []


def test_each_bound_that_is_near_gives_a_warning() -> None:
    retention = RetentionSettings(poses_bytes=1_000_000, dead_bytes=1_000_000)
    memory = BrokerMemory(900, 1000, {("poses", "door"): 900_000, ("dead", ""): 900_000})
    full, door, dead = memory.warnings(retention)
    assert "90% of its memory" in full
    assert door.startswith("door: 0.9 MB of poses")
    assert "dead letters" in dead


def test_few_streams_are_measured_at_a_time_and_all_of_them_in_turn(redis_server: str) -> None:
    broker = Broker(connect(redis_server), Topology(), "test")
    cameras = [f"camera-{n}" for n in range(KEYS_A_SAMPLE)]
    for camera in cameras:
        broker.client.xadd(broker.topology.poses(camera), {"poses": b"x" * 100})
    look = MemorySampler(broker)
    assert len(look.sample(cameras).streams) == KEYS_A_SAMPLE
    for _ in range(2):
        memory = look.sample(cameras)
    assert all(memory.streams["poses", camera] > 100 for camera in cameras)
    assert memory.used_bytes is not None
    assert set(look.sample(["camera-0"]).streams) == {
        ("poses", "camera-0"),
        ("tracks", "camera-0"),
        ("events", ""),
        ("dead", ""),
    }
    for camera in cameras:
        broker.client.delete(broker.topology.poses(camera))


@pytest.mark.parametrize("limit", [None, 0])
def test_broker_without_a_limit_gives_no_warning(limit: int | None) -> None:
    assert BrokerMemory(10**12, limit).warnings(RetentionSettings()) == []
