"""The trackers' side: read poses, and commit tracks, events, state and acknowledgement in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis

from posebus.bus.group_reader import GroupReader, ensure_group, registered
from posebus.bus.lease import Lease
from posebus.bus.plan_store import queue_plan
from posebus.bus.redis.connection import Broker
from posebus.bus.redis.errors import group_is_missing
from posebus.bus.stream_bound import Ledger, entry_bytes, found_in
from posebus.config.settings import RetentionSettings
from posebus.contract.codec import PoseBody, decode_poses
from posebus.contract.events import published
from posebus.contract.plan import Decision, Plan
from posebus.contract.public_json import dump, event_fields, track_frame_to_json
from posebus.errors import LeaseLost, MalformedMessage
from posebus.messages import Event, Provenance, TrackFrame
from posebus.topology import TRACKERS_GROUP

IGNORE_IDLE_EVERY = 7
"""Every so many calls of `take_over`, idle times are ignored. It is prime, so that it concerns each camera in turn."""
LEDGERS = 10_000


@dataclass(frozen=True, slots=True)
class PoseEntry:
    """One entry of a `poses` stream; `body` is None if it could not be decoded (`defect`)."""

    camera: str
    entry_id: bytes
    body: PoseBody | None
    provenance: Provenance | None
    defect: str | None = None


@dataclass(frozen=True, slots=True)
class TrackCommit:
    """Everything that one step of a tracker changes for one camera."""

    camera: str
    tracks: Sequence[tuple[TrackFrame, Provenance]]
    events: Sequence[Event]
    state: bytes
    done: Sequence[bytes]  # ids of poses entries that are finished
    detected_at_ns: int | None = None  # Unix time at which the events were made; None: when they are committed
    plan: Plan | None = None  # what the camera needs next
    decisions: Sequence[Decision] | None = None  # its newest decisions, if one was added


class PoseConsumer:
    """Reads as one consumer of the trackers' group; only the owner of a camera's lease may commit for it."""

    def __init__(self, broker: Broker, consumer: str, retention: RetentionSettings) -> None:
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology
        self._consumer = consumer
        self._group = GroupReader(broker, TRACKERS_GROUP, consumer)
        self._retention = retention
        self._takeovers = 0
        self._ledgers: dict[str, Ledger] = {}  # by camera whose tracks this process writes

    def read(self, cameras: Iterable[str], count: int, block_ms: int | None) -> list[PoseEntry]:
        """Up to `count` new entries of each camera; waits up to `block_ms` for the first one."""
        items = self._group.read(self._topology.poses, cameras, count, block_ms)
        return [_entry(camera, entry_id, raw) for camera, entry_id, raw in items]

    def take_over(self, camera: str, idle_ms: int) -> list[PoseEntry]:
        """Entries of `camera` that another tracker read and did not finish, if untouched for `idle_ms`."""
        key = self._topology.poses(camera)
        self._takeovers += 1
        if self._takeovers % IGNORE_IDLE_EVERY == 0:
            # Idle times follow the broker's wall clock: if that went back an hour, entries of a dead tracker would be
            # missed for as long. The owner of the lease may have them all; claiming too many only costs time.
            idle_ms = 0
        entries: list[PoseEntry] = []
        cursor: bytes = b"0-0"
        with self._broker.errors():
            while True:
                try:
                    reply = cast(
                        Any,
                        self._client.xautoclaim(
                            key, TRACKERS_GROUP, self._consumer, min_idle_time=idle_ms, start_id=cursor, count=500
                        ),
                    )
                except redis.ResponseError as error:
                    if not group_is_missing(error):
                        raise
                    # Trackers do this for each camera again and again, so the group is created only when it is
                    # missing.
                    if registered(self._broker, [camera]):
                        ensure_group(self._client, key, TRACKERS_GROUP)
                    return entries
                entries += [_entry(camera, entry_id, raw) for entry_id, raw in reply[1] if raw]
                cursor = reply[0]
                if cursor == b"0-0":
                    return entries

    def state(self, camera: str) -> bytes | None:
        """The snapshot of the last commit for `camera`, if any. Call it before the first commit for the camera."""
        tracks = self._topology.tracks(camera)
        if len(self._ledgers) >= LEDGERS:
            # Recordings come and go; the cameras that this tracker still owns are counted anew.
            self._ledgers.clear()
        with self._broker.errors():
            self._ledgers[camera] = self._ledger(found_in(self._client, tracks))
            return cast("bytes | None", self._client.get(self._topology.state(camera)))

    def commit(self, commit: TrackCommit, lease: Lease) -> None:
        """Publish everything in `commit` in one transaction, or nothing.

        Raises LeaseLost if `lease` was lost: a successor may have started, and this process must not write.
        """
        with self._broker.errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.watch(lease.key)  # type: ignore[no-untyped-call]
            if pipeline.get(lease.key) != lease.value:
                raise LeaseLost(f"another tracker owns camera {commit.camera} now", camera=commit.camera)
            pipeline.multi()
            self._queue(pipeline, commit)
            try:
                pipeline.execute()
            except redis.WatchError:
                raise LeaseLost(
                    f"the lease of camera {commit.camera} ran out while committing", camera=commit.camera
                ) from None

    def _ledger(self, found: tuple[int, float] = (0, 0.0)) -> Ledger:
        return Ledger(self._retention.tracks_bytes, self._retention.tracks_entries, found)

    def _queue(self, pipeline: Any, commit: TrackCommit) -> None:
        topology, camera, now_ns = self._topology, commit.camera, time.time_ns()
        for frame, provenance in commit.tracks:
            data = dump(track_frame_to_json(frame, provenance, now_ns))
            fields: dict[Any, Any] = {"camera": camera, "epoch": frame.epoch, "seq": frame.seq, "data": data}
            kept = self._ledgers.setdefault(camera, self._ledger()).append(entry_bytes(fields))
            pipeline.xadd(topology.tracks(camera), fields, maxlen=kept, approximate=True)
        for event in published(commit.events, now_ns, commit.detected_at_ns):
            pipeline.xadd(
                topology.events(topology.shard(camera)),
                event_fields(event),
                maxlen=self._retention.events_kept,
                approximate=True,
            )
        pipeline.set(topology.state(camera), commit.state)
        if commit.plan is not None:
            queue_plan(pipeline, topology.plan(camera), commit.plan, commit.decisions)
        if commit.done:
            pipeline.xack(topology.poses(camera), TRACKERS_GROUP, *commit.done)
            pipeline.xdel(topology.poses(camera), *commit.done)


def _entry(camera: str, entry_id: bytes, raw: dict[bytes, bytes]) -> PoseEntry:
    try:
        body, provenance = decode_poses(raw)
    except MalformedMessage as error:
        return PoseEntry(camera, entry_id, None, None, defect=str(error))
    return PoseEntry(camera, entry_id, body, provenance)
