"""The workers' side: read frames as a consumer group, commit poses with the acknowledgement, reclaim, dead-letter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import redis

from posebus.bus.group_reader import GroupReader
from posebus.bus.reclaim import Attempt, EntryKey, Reclaimer, attempts_to_json
from posebus.bus.redis.connection import Broker
from posebus.bus.redis.errors import group_is_missing
from posebus.bus.stream_bound import Peak, entry_bytes, make_room
from posebus.bus.wall_clock import ClockWatch, FrameAges, renew_all_deliveries
from posebus.config.settings import RetentionSettings
from posebus.contract.codec import decode_frame, encode_poses
from posebus.errors import MalformedMessage
from posebus.messages import Delivery, EndOfStream, Frame, PoseFrame, Provenance, Skipped
from posebus.topology import WORKERS_GROUP

SUSPECT = b"suspect"
"""A field of frames that `posebus dead retry` sent back from the dead letters."""

CAMERAS_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """One entry of a `frames` stream that a worker has in flight; `body` is None if it could not be decoded (`defect`).

    `attempts` are those that count against it, the present one included.
    """

    camera: str
    entry_id: bytes
    body: Frame | EndOfStream | None
    raw: Mapping[bytes, bytes]
    deliveries: int = 1
    defect: str | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def key(self) -> EntryKey:
        """What identifies the entry among the entries of all cameras."""
        return EntryKey(camera=self.camera, entry_id=self.entry_id)

    @property
    def suspect(self) -> bool:
        """Whether it may crash its worker: it was in one that ended, or comes back from the dead letters."""
        return self.deliveries > 1 or SUSPECT in self.raw


@dataclass(frozen=True, slots=True)
class PoseResult:
    """The result of a worker for one entry. `body` is None for an entry that does not even identify its frame.

    `letter`: fields that replace the entry's own in a dead letter.
    """

    entry: FrameEntry
    body: PoseFrame | Skipped | EndOfStream | None
    provenance: Provenance | None = None
    dead_reason: str | None = None
    letter: Mapping[bytes, bytes] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether the camera is live, so that the result is urgent; a result of unknown delivery counts as live."""
        if self.provenance is not None:
            return self.provenance.delivery is Delivery.LIVE
        return not isinstance(self.body, Skipped | EndOfStream) or self.body.delivery is Delivery.LIVE


class FrameConsumer:
    """Reads frames of any camera as one consumer of the workers' group."""

    def __init__(self, broker: Broker, consumer: str, retention: RetentionSettings | None = None) -> None:
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology
        self._consumer = consumer
        self._group = GroupReader(broker, WORKERS_GROUP, consumer)
        self._reclaimer = Reclaimer(broker, consumer)
        self._retention = retention or RetentionSettings()
        self._poses: dict[str, Peak] = {}
        self._clock = ClockWatch()
        self._ages = FrameAges()

    def read(self, cameras: Iterable[str], count: int, block_ms: int | None) -> list[FrameEntry]:
        """Up to `count` new frames of each camera, oldest first; waits up to `block_ms` for the first one."""
        items = self._group.read(self._topology.frames, cameras, count, block_ms)
        return [_entry(camera, entry_id, raw, 1) for camera, entry_id, raw in items]

    def age_ms(self, entry: FrameEntry) -> float:
        """How long ago the broker received `entry`. The hosts' clocks need not agree, and any of them may jump."""
        now_ms = time.monotonic() * 1000
        date, _, counter = entry.entry_id.partition(b"-")
        by_broker_ms = now_ms + (self._clock.offset_ms or 0.0) - int(date)
        if not isinstance(entry.body, Frame):
            return max(0.0, by_broker_ms)
        # A frame that does not come first in its millisecond has the date of one before it: the clock went back.
        dated = counter in (b"0", b"")
        frame = entry.body
        epoch = (frame.camera, frame.epoch)
        return self._ages.age_ms(epoch, frame.captured_at_ns / 1e6, by_broker_ms if dated else None, now_ms)

    def synchronise(self, cameras: Iterable[str] = ()) -> None:
        """Ask the broker for its time; call it regularly, so that drift does not add up.

        If the broker's clock went back, the idle time of all pending entries of `cameras` starts again now. By the
        broker's dates it would be negative for as long as the clock went back.
        """
        jump_ms = self._clock.jump_ms(self._broker.now_ns() / 1e6, time.monotonic() * 1000)
        if jump_ms < 0:
            with self._broker.errors():
                keys = [self._topology.frames(camera) for camera in cameras]
                renew_all_deliveries(self._client, keys, WORKERS_GROUP)

    def reclaim(
        self,
        cameras: Iterable[str],
        idle_ms: int,
        count: int,
        passed_over: Callable[[EntryKey, float], bool] = lambda key, idle_s: False,
    ) -> list[FrameEntry]:
        """Reclaim up to `count` frames that their workers have neither finished nor renewed for `idle_ms`.

        See `Reclaimer.claim`.
        """
        return [
            _entry(one.key.camera, one.key.entry_id, one.raw, one.deliveries, one.attempts)
            for one in self._reclaimer.claim(cameras, idle_ms, count, passed_over)
        ]

    def renew(self, keys: Iterable[EntryKey]) -> None:
        """Keep entries that are still being processed from being reclaimed."""
        self._reclaimer.renew(keys)

    def note(self, entry: FrameEntry, attempts: Sequence[Attempt]) -> FrameEntry:
        """Record all attempts at an entry, the present one included; returns the entry with them."""
        self._reclaimer.record(entry.key, attempts)
        return replace(entry, attempts=tuple(attempts))

    def attempt(self, outcome: str) -> Attempt:
        """An attempt of this worker that ends now with `outcome`."""
        return Attempt(self._consumer, time.time_ns(), outcome)

    def commit(self, results: Sequence[PoseResult]) -> None:
        """Publish results, and acknowledge and delete their frames, in one transaction for each shard.

        Repeating a commit whose answer was lost is harmless: trackers ignore a frame that they have processed.
        """
        by_shard: dict[int, list[PoseResult]] = {}
        for result in results:
            by_shard.setdefault(self._topology.shard(result.entry.camera), []).append(result)
        with self._broker.errors():
            for shard, shard_results in by_shard.items():
                dead_bytes = sum(entry_bytes(r.entry.raw) for r in shard_results if r.dead_reason is not None)
                if dead_bytes:
                    make_room(self._client, self._topology.dead(shard), dead_bytes, self._retention.dead_bytes)
                pipeline = self._client.pipeline(transaction=True)
                for result in shard_results:
                    self._queue(pipeline, shard, result)
                for camera, entry_ids in _by_camera(shard_results).items():
                    key = self._topology.frames(camera)
                    pipeline.xack(key, WORKERS_GROUP, *entry_ids)
                    pipeline.xdel(key, *entry_ids)
                for camera, entry_ids in _by_camera([r for r in shard_results if r.entry.suspect]).items():
                    self._reclaimer.queue_removal(pipeline, camera, entry_ids)
                pipeline.execute()

    def leave(self, cameras: Iterable[str]) -> None:
        """Remove this consumer from the group of each camera where it has no pending entries.

        Deleting a consumer deletes its pending entries, so one that has some stays until they are reclaimed.
        """
        with self._broker.errors():
            for camera in cameras:
                key = self._topology.frames(camera)
                try:
                    pending = self._client.xpending_range(key, WORKERS_GROUP, "-", "+", 1, consumername=self._consumer)
                    if not pending:
                        self._client.xgroup_delconsumer(key, WORKERS_GROUP, self._consumer)
                except redis.ResponseError as error:
                    if not group_is_missing(error):  # else the camera was removed
                        raise

    def _queue(self, pipeline: Any, shard: int, result: PoseResult) -> None:
        camera = result.entry.camera
        if result.body is not None:
            poses = cast("dict[Any, Any]", encode_poses(result.body, result.provenance, time.time_ns()))
            # With a recording, ingest waits while poses wait. A live camera without a tracker cannot wait: the next
            # tracker finds that frames are missing and reports a gap.
            kept = self._poses_kept(camera, entry_bytes(poses)) if result.live else None
            # The stream of a camera that was removed meanwhile does not come back with this result.
            pipeline.xadd(self._topology.poses(camera), poses, maxlen=kept, approximate=True, nomkstream=True)
        if result.dead_reason is not None:
            fields = {
                **{name: value for name, value in result.entry.raw.items() if name != SUSPECT},
                **result.letter,
                b"dead_reason": result.dead_reason,
                b"dead_camera": camera,
                b"dead_at_ns": time.time_ns(),
                b"dead_by": self._consumer,
                b"dead_attempts": attempts_to_json(result.entry.attempts),
            }
            pipeline.xadd(self._topology.dead(shard), fields, maxlen=self._retention.dead_entries, approximate=True)

    def _poses_kept(self, camera: str, size_bytes: int) -> int:
        if camera not in self._poses and len(self._poses) >= CAMERAS_KNOWN:
            self._poses.clear()
        return self._poses.setdefault(camera, Peak(self._retention.poses_bytes)).append(size_bytes)


def _by_camera(results: Sequence[PoseResult]) -> dict[str, list[bytes]]:
    entry_ids: dict[str, list[bytes]] = {}
    for result in results:
        entry_ids.setdefault(result.entry.camera, []).append(result.entry.entry_id)
    return entry_ids


def _entry(
    camera: str, entry_id: bytes, raw: Mapping[bytes, bytes], deliveries: int, attempts: tuple[Attempt, ...] = ()
) -> FrameEntry:
    try:
        body = decode_frame(raw)
    except MalformedMessage as error:
        return FrameEntry(camera, entry_id, None, raw, deliveries, defect=str(error))
    if body.camera != camera:
        return FrameEntry(camera, entry_id, None, raw, deliveries, defect=f"it names the camera {body.camera!r}")
    return FrameEntry(camera, entry_id, body, raw, deliveries, attempts=attempts)
