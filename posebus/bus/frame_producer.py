"""Ingest's side: a camera's lease, epochs, frames, backlog in bytes, events and checkpoint."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from posebus.bus import scripts as fenced
from posebus.bus.cameras.for_tracker import MARKS_KEPT, ForTracker
from posebus.bus.checkpoint import Checkpoint, read_checkpoint
from posebus.bus.lease import Lease
from posebus.bus.plan_store import NOW, plan_of, read_plan
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry, camera_value
from posebus.bus.wall_clock import unix_us
from posebus.config.policies import Policies
from posebus.contract.codec import encode_frame, encode_poses
from posebus.contract.events import published
from posebus.contract.plan import Plan
from posebus.contract.public_json import event_fields
from posebus.errors import LeaseLost, MalformedMessage
from posebus.logs.about import about
from posebus.messages import Delivery, EndOfStream, Event, Frame, Skipped, Uninferred
from posebus.topology import WORKERS_GROUP

RENEW_SHARE = 0.25
"""A lease is renewed after this part of its time, so that three renewals in a row may come late."""

log = logging.getLogger("posebus.ingest")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Entries of one camera that wait in the broker: frames in bytes and in number, poses in number, and when the
    oldest of these frames was sent (monotonic), None without any of this process."""

    frames_bytes: int
    frames: int
    poses: int
    oldest_sent_at_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Sent:
    entry_id: bytes
    frame: tuple[int, int, int]  # epoch, seq, captured_at_ns
    size_bytes: int
    at_s: float = field(default_factory=time.monotonic)


class FrameProducer:
    """Publishes the frames of one camera. All methods raise BrokerUnavailable or BrokerRefused.

    Call `hold` before any other. Methods that write raise LeaseLost once another process has the camera, and then write
    nothing.
    """

    def __init__(
        self,
        broker: Broker,
        record: CameraRecord,
        lease: Lease,
        events_kept: int,
        now_us: Callable[[Broker], int] = unix_us,
    ) -> None:
        """`now_us` is the number of an epoch that begins now, unless the camera has had higher ones."""
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology
        self._record = record
        self.plan: Plan | None = None
        self._lease = lease
        self._held_until_s = -1e9
        self._reference: str | None = None
        self._epochs_opened = 0
        self._epoch = 0
        self._now_us = now_us
        self._events_kept = events_kept
        self._frames_key = broker.topology.frames(record.camera)
        self._poses_key = broker.topology.poses(record.camera)
        self._checkpoint_key = broker.topology.checkpoint(record.camera)
        # Frames that were sent and may still wait, oldest first. Workers delete frames that they have committed, nearly
        # in order, so the newest XLEN entries of this queue are left: bytes are known without reading images back.
        self._sent: deque[_Sent] = deque()
        self._sent_bytes = 0

    @property
    def policies(self) -> Policies:
        """What posebus decides about the camera by itself."""
        return self._record.policies

    def announce(self) -> None:
        """Register the camera, so that workers and trackers read its streams before its first frame."""
        Registry(self._broker).add_camera(self._record)

    def announce_change(self, fields: Mapping[str, Any]) -> None:
        """Register the camera with other values of these fields of its record; its tracker applies them from now on."""
        self._record = replace(self._record, **fields)
        self.announce()

    def hold(self) -> int:
        """Renew the lease of the camera, or acquire it if it is free. Usually this costs nothing: writes renew it, too.

        Returns the fencing token, which is a new one if other processes may have had the camera since the last call; 0
        while another process has it.
        """
        if time.monotonic() < self._held_until_s - (1 - RENEW_SHARE) * self._lease.ttl_ms / 1000:
            return self._lease.token
        token = self._lease.token
        held = (self._lease.token > 0 and self._lease.renew()) or self._lease.acquire()
        self._held_until_s = self._until_s() if held else -1e9
        if not held or self._lease.token != token:
            self._reference = None  # another process may have written its own
        return self._lease.token if held else 0

    def release(self) -> None:
        """Release the lease, so that a process on standby takes the camera over."""
        if self._lease.token > 0:
            self._lease.release()

    def checkpoint(self) -> Checkpoint | None:
        """How far the camera's source was published, by any process; None if it never was, or cannot be decoded."""
        with self._broker.errors():
            fields = cast("dict[bytes, bytes]", self._client.hgetall(self._checkpoint_key))
        try:
            return read_checkpoint(fields) if fields else None
        except MalformedMessage as error:
            log.warning(
                "camera %s: %s; it starts from the beginning",
                self._record.camera,
                error,
                extra=about(self._record.camera),
            )
            return None

    def open_epoch(self, checkpoint: Checkpoint) -> int:
        """Start a new epoch of the camera, which may have been removed meanwhile; returns its number.

        The first epoch of a process has the Unix time in µs for its number, so that no number comes twice, even if the
        broker has lost its memory; later epochs count on from there. `checkpoint` is its first checkpoint; the epoch in
        it is ignored. If the answer is lost, repeat the same call.
        """
        topology, camera = self._topology, self._record.camera
        keys = [
            self._lease.key,
            self._checkpoint_key,
            topology.epoch(camera),
            topology.cameras(topology.shard(camera)),
        ]
        attempt = f"{self._lease.value.decode()}:{self._epochs_opened}"
        fields = {name: value for name, value in checkpoint.to_fields().items() if name != "epoch"}
        arguments = [*self._claim(), attempt, camera, camera_value(self._record), self._epoch]
        arguments += [self._now_us(self._broker), *fenced.flat(fields)]
        with self._broker.errors():
            epoch = self._checked(fenced.run(self._client, fenced.OPEN_EPOCH, keys, arguments))
        self._reference = None
        self.announce()
        self._epochs_opened += 1
        self._epoch = epoch
        return epoch

    def publish(
        self,
        item: Frame | Uninferred | EndOfStream | ForTracker | None,
        events: Sequence[Event] = (),
        checkpoint: Checkpoint | None = None,
    ) -> Backlog:
        """Append one frame, or the mark after the last one, and `events`, and write `checkpoint`: all of it or nothing.

        The mark of a frame that is not inferred goes directly to the tracker, as do poses. If a policy is on, `plan`
        is the camera's newest plan afterwards.

        A frame that precedes the checkpoint in the broker is not published again, so repeating a call whose answer was
        lost is harmless where each frame comes with a checkpoint.
        """
        topology, camera = self._topology, self._record.camera
        if isinstance(item, Uninferred):
            item = ForTracker(item)
        stream = self._poses_key if isinstance(item, ForTracker) else self._frames_key
        keys = [self._lease.key, self._checkpoint_key, stream, topology.events(topology.shard(camera))]
        appended, epoch, seq = (0, 0, 0) if item is None else (1, item.epoch, item.seq)
        arguments: list[Any] = [*self._claim(), appended, epoch, seq, self._events_kept, len(events)]
        for event in published(events, time.time_ns()):
            arguments += event_fields(event).values()
        if checkpoint is not None:
            arguments += fenced.flat(self._changed(checkpoint.to_fields()))
        with self._broker.errors():
            pipeline = self._client.pipeline(transaction=True)
            if isinstance(item, ForTracker):
                pipeline.xadd(stream, item.fields(), maxlen=item.kept, approximate=True)
            elif item is not None:
                pipeline.xadd(stream, cast("dict[Any, Any]", encode_frame(item, time.time_ns())))
            fenced.run(pipeline, fenced.PUBLISH, keys, arguments)
            pipeline.xlen(self._frames_key)
            pipeline.xlen(self._poses_key)
            if self._record.policies.any:
                pipeline.hget(topology.plan(camera), NOW)
            added, answer, frames, poses, plan = _answers(pipeline.execute(), appended=item is not None)
        self.plan = plan_of(plan)
        written = self._checked(answer) == fenced.WRITTEN
        if checkpoint is not None:
            self._reference = checkpoint.motion_reference
        if written and isinstance(item, Frame | EndOfStream):
            size_bytes = item.picture_bytes if isinstance(item, Frame) else 0
            self._sent.append(_Sent(added, (item.epoch, item.seq, item.captured_at_ns), size_bytes))
            self._sent_bytes += size_bytes
        return self._count(frames, poses)

    def read_plan(self) -> Plan | None:
        """The camera's present plan."""
        return read_plan(self._broker, self._record.camera)

    def backlog(self) -> Backlog:
        """The entries that wait now."""
        with self._broker.errors():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.xlen(self._frames_key)
            pipeline.xlen(self._poses_key)
            frames, poses = pipeline.execute()
        return self._count(frames, poses)

    def skip_oldest(self, max_bytes: int) -> int:
        """Live: drop the oldest frames that no worker has read yet until `max_bytes` remain; returns how many.

        Each is replaced by a Skipped mark in `poses`, so that the tracker does not wait for it. Frames in flight in a
        worker stay: dropping them would waste their inference and free nothing.
        """
        with self._broker.errors():
            groups = self._client.xinfo_groups(self._frames_key)
            read = next((g["last-delivered-id"] for g in groups if g["name"] == WORKERS_GROUP.encode()), b"0-0")
            excess = self._sent_bytes - max_bytes
            victims: list[_Sent] = []
            for sent in list(self._sent)[:-1]:  # the newest always stays: freshest wins
                if excess <= 0:
                    break
                if _id_order(sent.entry_id) > _id_order(read):
                    victims.append(sent)
                    excess -= sent.size_bytes
            return self._drop(victims)

    def _drop(self, victims: list[_Sent]) -> int:
        if not victims:
            return 0
        arguments = [*self._claim(), MARKS_KEPT]
        for sent in victims:
            epoch, seq, captured_at_ns = sent.frame
            mark = Skipped(self._record.camera, epoch, seq, captured_at_ns, Delivery.LIVE, "overflow")
            fields = fenced.flat(encode_poses(mark, None, time.time_ns()))
            arguments += [sent.entry_id, len(fields), *fields]
        keys = [self._lease.key, self._frames_key, self._poses_key]
        self._checked(fenced.run(self._client, fenced.SKIP, keys, arguments))
        gone = {sent.entry_id for sent in victims}
        self._sent = deque(sent for sent in self._sent if sent.entry_id not in gone)
        self._sent_bytes -= sum(sent.size_bytes for sent in victims)
        return len(victims)

    def _changed(self, fields: dict[str, str | int | bytes]) -> dict[str, str | int | bytes]:
        """The fields without a reference picture that the broker has: it is large, and seldom changes."""
        if self._reference is not None and fields.get("motion_reference") == self._reference:
            del fields["motion_reference"]
        return fields

    def _claim(self) -> list[Any]:
        """The first arguments of every script: the lease and its time to live."""
        return [self._lease.value, self._lease.ttl_ms]

    def _checked(self, answer: int) -> int:
        if answer == fenced.REFUSED:
            self._held_until_s, self._reference = -1e9, None
            camera = self._record.camera
            raise LeaseLost(f"another ingest process has camera {camera} now", camera=camera)
        self._held_until_s = self._until_s()
        return answer

    def _until_s(self) -> float:
        return time.monotonic() + self._lease.ttl_ms / 1000

    def _count(self, frames: int, poses: int) -> Backlog:
        while len(self._sent) > frames:
            self._sent_bytes -= self._sent.popleft().size_bytes
        return Backlog(self._sent_bytes, frames, poses, self._sent[0].at_s if self._sent else None)


def _answers(replies: list[Any], *, appended: bool) -> tuple[Any, Any, Any, Any, Any]:
    """Replies of `publish`: id of the entry, result of the script, lengths of frames and poses, the plan. A command
    that was not sent gives None."""
    added = replies.pop(0) if appended else None
    return (added, *replies, *[None] * (4 - len(replies)))


def _id_order(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, counter = entry_id.partition(b"-")
    return int(milliseconds), int(counter or 0)
