"""Ingest's side: epochs, frames, the byte budget of a camera's backlog, camera events."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import cast

from posebus.bus.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.codec import encode_frame, encode_poses
from posebus.messages import Delivery, EndOfStream, Event, Frame, Skipped
from posebus.public_json import dump, event_to_json
from posebus.topology import WORKERS_GROUP


@dataclass(frozen=True, slots=True)
class Backlog:
    """What of one camera waits in the broker: frames in bytes and entries, poses in entries."""

    frames_bytes: int
    frames: int
    poses: int


@dataclass(frozen=True, slots=True)
class _Sent:
    entry_id: bytes
    frame: tuple[int, int, int]  # epoch, seq, captured_at_ns
    size_bytes: int


class FrameWriter:
    """Publishes the frames of one camera. All methods raise BrokerUnavailable or BrokerRefused."""

    def __init__(self, broker: Broker, record: CameraRecord, events_kept: int) -> None:
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology
        self._record = record
        self._events_kept = events_kept
        self._frames_key = broker.topology.frames(record.camera)
        self._poses_key = broker.topology.poses(record.camera)
        # What was sent and may still wait, oldest first. Workers delete what they have committed, nearly in order, so
        # the newest XLEN entries of this queue are what is left: bytes are known without reading pictures back.
        self._sent: deque[_Sent] = deque()
        self._sent_bytes = 0

    def announce(self) -> None:
        """Make the camera known, so that workers and trackers turn to it before its first frame."""
        Registry(self._broker).add_camera(self._record)

    def open_epoch(self) -> int:
        """Begin a new epoch of the camera, which may have been removed meanwhile; returns its number, from 1."""
        self.announce()
        with self._broker.errors():
            return self._client.incr(self._topology.epoch(self._record.camera))

    def publish(self, frame: Frame | EndOfStream) -> Backlog:
        """Append one frame, or the mark after the last one."""
        with self._broker.errors():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.xadd(self._frames_key, cast(dict, encode_frame(frame, time.time_ns())))  # type: ignore[type-arg]
            pipeline.xlen(self._frames_key)
            pipeline.xlen(self._poses_key)
            entry_id, frames, poses = pipeline.execute()
        size_bytes = frame.picture_bytes if isinstance(frame, Frame) else 0
        self._sent.append(_Sent(entry_id, (frame.epoch, frame.seq, frame.captured_at_ns), size_bytes))
        self._sent_bytes += size_bytes
        return self._count(frames, poses)

    def backlog(self) -> Backlog:
        """What waits now."""
        with self._broker.errors():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.xlen(self._frames_key)
            pipeline.xlen(self._poses_key)
            frames, poses = pipeline.execute()
        return self._count(frames, poses)

    def skip_oldest(self, max_bytes: int) -> int:
        """Live: drop the oldest frames that no worker has taken yet until `max_bytes` remain; returns how many.

        Each leaves a Skipped mark in `poses`, so that the tracker does not wait for it. Frames that a worker is busy
        with stay: dropping them would waste their inference and free nothing.
        """
        with self._broker.errors():
            groups = self._client.xinfo_groups(self._frames_key)
            taken = next((g["last-delivered-id"] for g in groups if g["name"] == WORKERS_GROUP.encode()), b"0-0")
            excess = self._sent_bytes - max_bytes
            victims: list[_Sent] = []
            for sent in list(self._sent)[:-1]:  # the newest always stays: freshest wins
                if excess <= 0:
                    break
                if _id_order(sent.entry_id) > _id_order(taken):
                    victims.append(sent)
                    excess -= sent.size_bytes
            return self._drop(victims)

    def emit(self, event: Event) -> None:
        """Append a camera event to the shard's events."""
        shard = self._topology.shard(event.camera)
        with self._broker.errors():
            self._client.xadd(
                self._topology.events(shard),
                {"type": event.type, "camera": event.camera, "data": dump(event_to_json(event))},
                maxlen=self._events_kept,
                approximate=True,
            )

    def _drop(self, victims: list[_Sent]) -> int:
        if not victims:
            return 0
        pipeline = self._client.pipeline(transaction=True)
        for sent in victims:
            epoch, seq, captured_at_ns = sent.frame
            mark = Skipped(self._record.camera, epoch, seq, captured_at_ns, Delivery.LIVE, "overflow")
            pipeline.xdel(self._frames_key, sent.entry_id)
            pipeline.xadd(self._poses_key, cast(dict, encode_poses(mark, None, time.time_ns())))  # type: ignore[type-arg]
        pipeline.execute()
        gone = {sent.entry_id for sent in victims}
        self._sent = deque(sent for sent in self._sent if sent.entry_id not in gone)
        self._sent_bytes -= sum(sent.size_bytes for sent in victims)
        return len(victims)

    def _count(self, frames: int, poses: int) -> Backlog:
        while len(self._sent) > frames:
            self._sent_bytes -= self._sent.popleft().size_bytes
        return Backlog(self._sent_bytes, frames, poses)


def _id_order(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, counter = entry_id.partition(b"-")
    return int(milliseconds), int(counter or 0)
