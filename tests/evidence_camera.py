"""A camera with evidence in the broker, without ingest and tracker: pictures that show the number of their frame,
tracks whose only person stands at a height that says the same number, and events of a rule.

So a snapshot can be read without any of our code: its picture is of the frame in its fields of dark and bright, and its
skeleton of the frame that the lowest coloured line says.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np

from posebus.bus.evidence.ring import RingPicture, RingWriter
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.contract.evidence import dataref
from posebus.contract.public_json import dump, event_fields, track_frame_to_json
from posebus.messages import Delivery, Event, Track, TrackFrame
from tests.faults.numbered_pictures import draw, read_number
from tests.samples import PROVENANCE

SIZE_PX = (640, 480)
BAND = slice(124, 198)
"""Columns of the person: between the inner parts of two fields, which say the number."""
STEP_PX, STEPS, TOP_PX, LEAST_BOTTOM_PX = 10, 30, 30, 160
COLOURED = 60
"""Pictures are grey; a pixel whose channels differ by more is drawn."""
FRAME_NS = 100_000_000


class EvidenceCamera:
    """The camera `door`, or another one; frames come from `frame`."""

    def __init__(self, broker: Broker, camera: str = "door", epoch: int = 1, **record: Any) -> None:
        self.broker, self.camera, self.epoch = broker, camera, epoch
        self.ring = RingWriter(broker, camera, seconds=600.0, max_bytes=50_000_000)
        values = {"evidence": True, "rules": {"gate": {"kind": "line", "points": [[320, 0], [320, 479]]}}, **record}
        Registry(broker).add_camera(CameraRecord(camera, Delivery.LIVE, "network", **values))

    def frame(self, seq: int, *, picture: bool = True, tracks: bool = True, event: bool = False) -> None:
        """Publish what there is of a frame: picture first, then tracks and event in one transaction."""
        if picture:
            self.picture(seq)
        topology = self.broker.topology
        with self.broker.errors():
            pipeline = self.broker.client.pipeline(transaction=True)
            if tracks:
                data = dump(track_frame_to_json(self.tracks(seq), PROVENANCE, 1))
                fields = {"camera": self.camera, "epoch": self.epoch, "seq": seq, "data": data}
                pipeline.xadd(topology.tracks(self.camera), cast(Any, fields))
            if event:
                pipeline.xadd(topology.events(topology.shard(self.camera)), event_fields(self.event(seq)))
            pipeline.execute()

    def picture(self, seq: int) -> None:
        """Add the picture of a frame to the ring."""
        jpeg = cv2.imencode(".jpg", draw(seq, SIZE_PX))[1].tobytes()
        self.ring.add(RingPicture(self.epoch, seq, seq * FRAME_NS, SIZE_PX, SIZE_PX, jpeg))

    def tracks(self, seq: int) -> TrackFrame:
        bottom = float(LEAST_BOTTOM_PX + STEP_PX * (seq % STEPS))
        box = np.array((126, TOP_PX, 192, bottom), np.float32)
        keypoints = np.full((17, 3), 0.9, np.float32)
        keypoints[:, 0] = 159
        keypoints[:, 1] = np.linspace(TOP_PX + 8, LEAST_BOTTOM_PX - 30, 17)
        person = Track(7, box, 0.9, keypoints, "confirmed", 1.0, keypoint_visibility=np.full(17, 2, np.uint8))
        return TrackFrame(self.camera, self.epoch, seq, seq * FRAME_NS, SIZE_PX, (person,))

    def event(self, seq: int) -> Event:
        return Event(
            id=f"{self.camera}/{self.epoch}/{seq}/posebus.line.crossed/gate/7",
            type="posebus.line.crossed",
            source=f"posebus/cameras/{self.camera}/rules/gate",
            subject=f"{self.camera}/tracks/7",
            time_ns=seq * FRAME_NS,
            camera=self.camera,
            epoch=self.epoch,
            seq=seq,
            data={"rule": "gate", "kind": "line", "track_id": 7, "phase": "once", "happening": f"h{seq}"},
            dataref=dataref(self.camera, self.epoch, seq),
        )


def shown_frame(jpeg: bytes) -> tuple[int | None, int]:
    """The number of the frame that the picture of a snapshot shows, and that of its skeleton modulo STEPS."""
    return shown_in(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))


def shown_in(image: Any) -> tuple[int | None, int]:
    """The same of a picture (H, W, 3)."""
    band = image[:, BAND].astype(int)
    coloured = np.ptp(band, axis=2).max(axis=1) > COLOURED
    lowest = int(np.flatnonzero(coloured).max()) if coloured.any() else -1
    return read_number(image), round((lowest - LEAST_BOTTOM_PX) / STEP_PX)
