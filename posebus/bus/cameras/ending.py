"""The end of a camera that is not captured any more: its source and with it its tracks end, and its keys expire."""

from __future__ import annotations

import time
from dataclasses import replace

from posebus.bus.cameras.camera_events import ingest_event
from posebus.bus.cameras.for_tracker import ForTracker
from posebus.bus.checkpoint import ENDED, OPEN, Checkpoint
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord
from posebus.contract.events import Position
from posebus.messages import Delivery, EndOfStream, Event, EventType


def publish_end(writer: FrameProducer, record: CameraRecord, reason: str, *, past_workers: bool = False) -> None:
    """Publish the end of the source, unless that has happened; a recording that returns is read from its beginning.

    past_workers: the end goes directly to the tracker, like the poses before it. Raises LeaseLost, BrokerUnavailable
    and BrokerRefused; it may be repeated.
    """
    checkpoint = writer.checkpoint()
    if checkpoint is None:
        return  # it has never had a frame
    events: list[Event] = []
    item: EndOfStream | ForTracker | None = None
    if checkpoint.state != ENDED:
        was_open = checkpoint.state == OPEN
        checkpoint = _position(writer, record, checkpoint)
        item = end = EndOfStream(
            camera=record.camera,
            epoch=checkpoint.epoch,
            seq=checkpoint.seq,
            captured_at_ns=checkpoint.captured_at_ns,
            delivery=record.delivery,
            reason=reason,
        )
        if past_workers:
            item = ForTracker(end)
        if was_open and record.delivery is Delivery.LIVE:
            now_ns = time.time_ns()
            position = Position(checkpoint.epoch, checkpoint.seq, now_ns)
            events.append(ingest_event(EventType.CAMERA_OFFLINE, record.camera, position, {"reason": reason}, now_ns))
    writer.publish(item, events, replace(checkpoint, state=ENDED, run=""))


def waiting(broker: Broker, camera: str) -> int:
    """Return how many frames and poses of the camera are not processed yet."""
    keys = broker.topology.frames(camera), broker.topology.poses(camera)
    with broker.errors():
        return sum(int(broker.client.xlen(key)) for key in keys)


def expire_keys(broker: Broker, camera: str, after_s: float) -> None:
    """Let the broker delete all keys of the camera after a time, in which no process may write to them."""
    with broker.errors():
        pipeline = broker.client.pipeline(transaction=True)
        for key in broker.topology.of_camera(camera):
            pipeline.expire(key, int(after_s))
        pipeline.execute()


def keep_keys(broker: Broker, camera: str) -> None:
    """The camera is back: what `expire_keys` would have deleted stays, but for what expires in any case."""
    names = broker.topology
    kinds = (names.frames, names.poses, names.tracks, names.state, names.epoch, names.checkpoint, names.plan)
    fences = [names.fence(camera, role) for role in ("ingest", "tracker")]
    with broker.errors():
        pipeline = broker.client.pipeline(transaction=True)
        for key in [kind(camera) for kind in kinds] + fences:
            pipeline.persist(key)
        pipeline.execute()


def _position(writer: FrameProducer, record: CameraRecord, checkpoint: Checkpoint) -> Checkpoint:
    """Return where the source ends. Only for recordings it is known; a live camera gets an epoch without a frame."""
    if record.delivery is Delivery.LOSSLESS:
        return checkpoint
    return replace(checkpoint, epoch=writer.open_epoch(replace(checkpoint, seq=0)), seq=0)
