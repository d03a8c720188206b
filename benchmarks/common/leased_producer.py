"""The producer of a camera's frames as ingest has it: it holds the camera's lease, and an epoch is open."""

from __future__ import annotations

from posebus.bus.checkpoint import OPEN, Checkpoint
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, process_id

LEASE_S = 60.0


def leased_producer(broker: Broker, record: CameraRecord, events_kept: int) -> tuple[FrameProducer, int]:
    """The producer of the record's camera, and the number of the epoch that it has opened."""
    lease = Lease(broker, record.camera, "ingest", process_id("ingest"), LEASE_S)
    producer = FrameProducer(broker, record, lease, events_kept)
    producer.hold()
    return producer, producer.open_epoch(Checkpoint(0, 0, 0, OPEN, "", ""))
