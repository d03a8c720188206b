"""Small valid messages for tests, in which any field can be replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from posebus.bus.checkpoint import OPEN, Checkpoint
from posebus.bus.frame_producer import FrameProducer
from posebus.bus.lease import Lease
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, process_id
from posebus.contract.events.making import IN_THE_FRAME
from posebus.contract.public_json import event_to_json
from posebus.messages import (
    CaptureClock,
    Delivery,
    EndOfStream,
    Event,
    Frame,
    PoseFrame,
    Probe,
    Provenance,
    Track,
    TrackFrame,
    Uninferred,
)
from posebus.views import View

BEGUN = Checkpoint(0, 0, 0, OPEN, "", "")
"""The first frame of an epoch."""
PROVENANCE = Provenance(CaptureClock.FILE, Delivery.LOSSLESS, frame_published_at_ns=5, published_at_ns=6)


PROBES = (
    Probe(View(320), np.zeros((0, 4), np.float32), np.zeros(0, np.float32)),
    Probe(View(1280, 2, 1), np.array([[1, 2, 30, 80], [5, 5, 9, 9]], np.float32), np.array([0.9, 0.5], np.float32)),
)
"""The results of two probes."""


def frame(seq: int = 0, camera: str = "door", **changes: Any) -> Frame:
    values: dict[str, Any] = {
        "camera": camera,
        "epoch": 1,
        "seq": seq,
        "captured_at_ns": seq * 40_000_000,
        "clock": CaptureClock.FILE,
        "delivery": Delivery.LOSSLESS,
        "size_px": (640, 480),
        "image_size_px": (640, 480),
        "encoding": "jpeg",
        "data": b"\xff\xd8" + bytes(1000),
    }
    return Frame(**{**values, **changes})


def end(seq: int, camera: str = "door", delivery: Delivery = Delivery.LOSSLESS) -> EndOfStream:
    return EndOfStream(camera, 1, seq, seq * 40_000_000, delivery)


def uninferred(
    seq: int, camera: str = "door", reason: str = "still", delivery: Delivery = Delivery.LOSSLESS
) -> Uninferred:
    return Uninferred(camera, 1, seq, seq * 40_000_000, CaptureClock.FILE, delivery, (640, 480), reason)


def pose_frame(seq: int = 0, camera: str = "door", people: int = 2, **changes: Any) -> PoseFrame:
    rng = np.random.default_rng(seq)
    corner = rng.uniform(0, 200, (people, 2))
    boxes = np.concatenate([corner, corner + np.array((60, 150))], axis=1).astype(np.float32)
    keypoints = rng.uniform(0, 1, (people, 17, 3)).astype(np.float32)
    keypoints[..., :2] *= 200
    values: dict[str, Any] = {
        "camera": camera,
        "epoch": 1,
        "seq": seq,
        "captured_at_ns": seq * 40_000_000,
        "size_px": (640, 480),
        "boxes_xyxy_px": boxes,
        "scores": np.full(people, 0.9, np.float32),
        "keypoints_px": keypoints,
    }
    return PoseFrame(**{**values, **changes})


def track_frame(seq: int = 0, camera: str = "door", ids: tuple[int, ...] = (1, 2)) -> TrackFrame:
    source = pose_frame(seq, camera, len(ids))
    assert source.keypoints_px is not None
    tracks = tuple(
        Track(
            id=track_id,
            box_xyxy_px=source.boxes_xyxy_px[i],
            score=0.9,
            keypoints_px=source.keypoints_px[i],
            state="confirmed",
            age_s=0.04 * seq,
            velocity_px_s=np.array((12.5, -3.25), np.float32),
            keypoint_visibility=np.arange(17, dtype=np.uint8) % 2 + 1,
            pose_index=i,
        )
        for i, track_id in enumerate(ids)
    )
    return TrackFrame(camera, 1, seq, source.captured_at_ns, source.size_px, tracks)


def event(seq: int = 0, camera: str = "door", kind: str = "posebus.track.started") -> Event:
    return Event(
        id=f"{camera}/1/{seq}/{kind}/7",
        type=kind,
        source=f"posebus/cameras/{camera}",
        subject=f"{camera}/tracks/7",
        time_ns=seq * 40_000_000,
        camera=camera,
        epoch=1,
        seq=seq,
        data={"track_id": 7},
    )


def timeless(event: Event) -> dict[str, Any]:
    """An event as JSON without the times of its publication, which differ between two runs over the same frames.

    The place of an event before its frame, such as that a camera is online, is a time as well.
    """
    timed = int(event.sequence.rpartition("-")[2] or 0) < IN_THE_FRAME
    return event_to_json(replace(event, detected_at_ns=0, published_at_ns=0, sequence="" if timed else event.sequence))


def held_writer(broker: Broker, record: CameraRecord) -> FrameProducer:
    """A producer that holds the camera's lease and has started its first epoch, number 1 as in `frame`."""
    lease = Lease(broker, record.camera, "ingest", process_id("ingest"), ttl_s=60.0)
    producer = FrameProducer(broker, record, lease, events_kept=100, now_us=lambda _: 1)
    producer.hold()
    producer.open_epoch(BEGUN)
    return producer
