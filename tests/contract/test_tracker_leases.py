"""Which cameras a tracker acquires: its share, and those of a dead tracker."""

from __future__ import annotations

import redis

from posebus.bus.lease import Lease, free
from posebus.bus.pose_consumer import PoseConsumer
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings, TrackerSettings
from posebus.messages import Delivery
from posebus.topology import Topology
from tests.contract.conftest import MakeClient
from tracking.track_stage import ADOPTED_FOR_S, OWNERLESS_S, TrackStage

CAMERAS = ("door", "hall", "yard", "lift")


def tracker(client: redis.Redis, name: str) -> TrackStage:
    broker = Broker(client, Topology(), "the broker of the test")
    reader = PoseConsumer(broker, name, RetentionSettings())
    return TrackStage(broker, reader, name, TrackerSettings())


def owned(client: redis.Redis, name: str) -> set[str]:
    values = {camera: client.get(Topology().lease(camera, "tracker")) for camera in CAMERAS}
    return {camera for camera, value in values.items() if value is not None and value.startswith(name.encode())}


def test_cameras_of_a_dead_tracker_are_adopted_before_its_report_expires_and_shared_again_later(
    make_client: MakeClient,
) -> None:
    client = make_client()
    registry = Registry(Broker(client, Topology(), "the broker of the test"))
    for camera in CAMERAS:
        registry.add_camera(CameraRecord(camera, Delivery.LIVE, "synthetic"))
    for name in ("living", "dead"):
        registry.report(name, "tracker", {"ready": True})
    living, dead = tracker(client, "living"), tracker(client, "dead")
    living.step(0.0)
    dead.step(0.0)
    living.step(0.5)
    assert len(owned(client, "living")) == len(owned(client, "dead")) == 2
    dead.drain()  # its leases are gone, its report is not
    living.step(1.0)
    assert len(owned(client, "living")) == 2, "a tracker with room comes first"
    living.step(1.0 + 1.5 * OWNERLESS_S)
    assert owned(client, "living") == set(CAMERAS)
    registry.report("dead", "tracker", {"ready": True})
    living.step(2.0)
    assert owned(client, "living") == set(CAMERAS), "not given up at once to a tracker that may be dead"
    registry.report("dead", "tracker", {"ready": True})
    living.step(1.0 + 1.5 * OWNERLESS_S + ADOPTED_FOR_S + 1.0)
    assert len(owned(client, "living")) == 2


def test_free_leases_are_returned(make_client: MakeClient) -> None:
    broker = Broker(make_client(), Topology(), "the broker of the test")
    leases = [Lease(broker, camera, "tracker", "another tracker", 60.0) for camera in CAMERAS]
    assert leases[1].acquire()
    assert free(broker, leases) == [leases[0], *leases[2:]]
