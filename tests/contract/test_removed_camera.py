"""What is published for a camera that was removed, after its process has ended in whichever way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ingest.leaving import REMOVED
from posebus.bus.cameras.ending import publish_end
from posebus.bus.checkpoint import ENDED, OFFLINE, OPEN
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.contract.codec import decode_frame
from posebus.messages import Delivery, EndOfStream
from posebus.topology import Topology
from tests.contract.conftest import MakeClient
from tests.samples import held_writer


def published(broker: Broker) -> tuple[list[EndOfStream], list[tuple[str, str]]]:
    """The ends in the camera's frames, and type and reason of its events."""
    items = [decode_frame(fields) for _, fields in broker.client.xrange(broker.topology.frames("door"))]
    events = [json.loads(fields[b"data"]) for _, fields in broker.client.xrange(broker.topology.events(0))]
    ends = [item for item in items if isinstance(item, EndOfStream)]
    return ends, [(event["type"], event["data"].get("reason")) for event in events]


@pytest.mark.parametrize(
    ("delivery", "state", "ends", "goes_offline"),
    [
        (Delivery.LIVE, OPEN, "in an epoch of its own", True),
        (Delivery.LIVE, OFFLINE, "in an epoch of its own", False),
        (Delivery.LOSSLESS, OPEN, "after its last frame", False),
        (Delivery.LOSSLESS, ENDED, "not again", False),
        (Delivery.LIVE, ENDED, "not again", False),
    ],
)
def test_the_source_ends_once(
    delivery: Delivery, state: str, ends: str, goes_offline: bool, make_client: MakeClient
) -> None:
    broker = Broker(make_client(), Topology(), "the broker of the test")
    record = CameraRecord("door", delivery, "file")
    writer = held_writer(broker, record)
    begun = writer.checkpoint()
    assert begun is not None
    writer.publish(None, (), replace(begun, seq=7, captured_at_ns=5, state=state, run="today"))
    publish_end(writer, record, "removed")
    publish_end(writer, record, "removed")  # after a crash it is repeated
    found, events = published(broker)
    expected = {"in an epoch of its own": [(False, 0)], "after its last frame": [(True, 7)], "not again": []}[ends]
    assert [(end.epoch == begun.epoch, end.seq) for end in found] == expected
    assert all((end.reason, end.delivery) == (REMOVED, delivery) for end in found)
    assert events == ([("posebus.camera.offline", REMOVED)] if goes_offline else [])
    left = writer.checkpoint()
    assert left is not None
    assert (left.state, left.run) == (ENDED, "")  # so the camera begins anew if it returns


def test_a_camera_without_any_frame_has_no_end(make_client: MakeClient) -> None:
    broker = Broker(make_client(), Topology(), "the broker of the test")
    record = CameraRecord("door", Delivery.LIVE, "file")
    writer = held_writer(broker, record)
    broker.client.delete(broker.topology.checkpoint("door"))
    publish_end(writer, record, "removed")
    assert published(broker) == ([], [])


def test_a_withdrawn_camera_is_listed_no_more_and_keeps_its_streams(make_client: MakeClient) -> None:
    broker = Broker(make_client(), Topology(), "the broker of the test")
    registry = Registry(broker)
    record = CameraRecord("door", Delivery.LIVE, "file")
    assert registry.camera("door") is None
    held_writer(broker, record)
    assert registry.camera("door") == record
    broker.client.xadd(broker.topology.tracks("door"), {"data": "x"})
    registry.withdraw_camera("door")
    assert registry.cameras() == []
    assert broker.client.xlen(broker.topology.tracks("door")) == 1
    assert registry.remove_camera("door")  # as `posebus forget` does
    assert not registry.remove_camera("door")
