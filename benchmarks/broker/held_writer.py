"""A camera's writer as ingest has it: it holds the lease, and an epoch is open."""

from __future__ import annotations

from posebus.bus.checkpoint import OPEN, Checkpoint
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, process_id

LEASE_S = 60.0


def held_writer(broker: Broker, record: CameraRecord, events_kept: int) -> tuple[FrameProducer, int]:
    """The writer of `record`'s camera, and the number of its epoch."""
    writer = FrameProducer(
        broker, record, Lease(broker, record.camera, "ingest", process_id("ingest"), LEASE_S), events_kept
    )
    writer.hold()
    return writer, writer.open_epoch(Checkpoint(0, 0, 0, OPEN, "", ""))
