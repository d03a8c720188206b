"""How often the list of cameras and the broker's time are asked for."""

from __future__ import annotations

from typing import Any

from posebus.bus.registry import CameraRecord
from posebus.messages import Delivery
from tests.unit.workers.recording_consumer import RecordingConsumer
from workers.intake.cameras import CLOCK_REFRESH_S, FIRST_REFRESH_S, REFRESH_S, CameraList


class CountingRegistry:
    """Lists `records` and counts how often it is asked."""

    def __init__(self, *names: str) -> None:
        self.records = [CameraRecord(name, Delivery.LIVE, "file") for name in names]
        self.asked = 0

    def cameras(self) -> list[CameraRecord]:
        self.asked += 1
        return self.records


def test_cameras_are_refreshed_rarely_and_while_there_are_none_often() -> None:
    registry: Any = CountingRegistry()
    consumer: Any = RecordingConsumer()
    cameras = CameraList(registry, consumer)
    cameras.refresh(0.0)
    cameras.refresh(0.9 * FIRST_REFRESH_S)
    assert (registry.asked, dict(cameras.deliveries)) == (1, {})
    registry.records = CountingRegistry("door").records
    cameras.refresh(FIRST_REFRESH_S)
    assert (registry.asked, dict(cameras.deliveries)) == (2, {"door": Delivery.LIVE})
    cameras.refresh(FIRST_REFRESH_S + 0.9 * REFRESH_S)
    assert registry.asked == 2
    cameras.refresh(FIRST_REFRESH_S + REFRESH_S)
    assert registry.asked == 3


def test_broker_time_is_asked_for_at_most_once_a_second() -> None:
    registry: Any = CountingRegistry("door")
    consumer: Any = RecordingConsumer()
    cameras = CameraList(registry, consumer)
    for tick in range(5):
        cameras.refresh(tick * REFRESH_S)
    assert CLOCK_REFRESH_S == 2 * REFRESH_S
    assert consumer.synchronised == [["door"]] * 3


def test_worker_leaves_the_groups_of_its_cameras() -> None:
    registry: Any = CountingRegistry("door", "yard")
    consumer: Any = RecordingConsumer()
    cameras = CameraList(registry, consumer)
    cameras.refresh(0.0)
    cameras.leave()
    assert consumer.left == ["door", "yard"]
