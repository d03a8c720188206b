"""Reclaiming frames that a worker does not finish, and the record of the attempts at each frame.

The broker counts how often a frame was delivered, which does not say whether the frame is at fault: one frame that
crashes its worker makes the broker deliver again all other frames in that worker. So attempts at a frame alone that
failed are recorded in the hash `attempts`, and only they count against it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import redis

from posebus.bus.former_keys import former_attempts, former_reclaim_lock
from posebus.bus.redis.connection import Broker
from posebus.bus.redis.errors import group_is_missing
from posebus.config.redaction import harmless
from posebus.contract.foreign_json import WRONG_DATA, load_json, whole
from posebus.errors import MalformedMessage
from posebus.topology import WORKERS_GROUP

MAX_ATTEMPTS_BYTES = 1_000_000
PENDING_AT_ONCE = 32
"""Pending entries of one camera that are examined at once."""
KEEP_S = 3600
"""Attempts are kept so long after the camera's last one. Nothing else removes them if the frame itself was trimmed."""

GONE = "the worker was gone in the middle of it"
"""The outcome that is written when an attempt starts, since a worker that dies can no longer write one."""


class EntryKey(NamedTuple):
    """What identifies an entry of `frames` among the entries of all cameras."""

    camera: str
    entry_id: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a frame that was alone in its worker. `at_ns` is the worker's wall clock."""

    worker: str
    at_ns: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """An entry that was reclaimed, with its fields in the stream; `deliveries` includes this one."""

    key: EntryKey
    raw: dict[bytes, bytes]
    deliveries: int
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class _Pending:
    key: EntryKey
    deliveries: int


class Reclaimer:
    """Reclaims as one consumer of the workers' group. All methods raise BrokerUnavailable or BrokerRefused."""

    def __init__(self, broker: Broker, consumer: str) -> None:
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology
        self._consumer = consumer

    def claim(
        self, cameras: Iterable[str], idle_ms: int, count: int, passed_over: Callable[[EntryKey, float], bool]
    ) -> list[Reclaimed]:
        """Up to `count` entries whose consumers have neither finished nor renewed them for `idle_ms`.

        Entries for which `passed_over(key, idle_s)` is true are left to other workers. One worker of the fleet does
        this at a time, for all cameras of a shard, so that a hundred workers ask the broker no more than one does.
        """
        reclaimed: list[Reclaimed] = []
        with self._broker.errors():
            for shard, names in self._by_shard(cameras).items():
                if not self._lock(shard, ttl_ms=max(1, idle_ms // 10)):
                    continue
                pending = list(self._pending(names, idle_ms, passed_over))
                chosen = pending[: count - len(reclaimed)]
                if len(chosen) < len(pending):
                    # The next worker need not wait.
                    self._client.delete(self._topology.reclaim_lock(shard))
                reclaimed += self._claim(chosen, idle_ms)
        return reclaimed

    def renew(self, keys: Iterable[EntryKey]) -> None:
        """Restart the idle time of entries that are still being processed. Entries that were committed stay deleted."""
        with self._broker.errors():
            for shard_keys in self._keys_by_shard(keys).values():
                pipeline = self._client.pipeline(transaction=False)
                for camera, entry_ids in _by_camera(shard_keys).items():
                    stream = self._topology.frames(camera)
                    # JUSTID: it does not count as a delivery, and no image is sent back.
                    pipeline.xclaim(stream, WORKERS_GROUP, self._consumer, 0, cast(Any, entry_ids), justid=True)
                _execute(pipeline)

    def record(self, key: EntryKey, attempts: Sequence[Attempt]) -> None:
        """Replace the recorded attempts at one entry."""
        attempts_key = self._topology.attempts(key.camera)
        with self._broker.errors():
            pipeline = self._client.pipeline(transaction=True)
            if attempts:
                pipeline.hset(attempts_key, cast(Any, key.entry_id), attempts_to_json(attempts))
                pipeline.expire(attempts_key, KEEP_S)
            else:
                pipeline.hdel(attempts_key, cast(Any, key.entry_id))
            pipeline.hdel(former_attempts(self._topology, key.camera), cast(Any, key.entry_id))
            pipeline.execute()

    def queue_removal(self, pipeline: Any, camera: str, entry_ids: Sequence[bytes]) -> None:
        """Queue the removal of the attempts at entries that have a result."""
        for key in (self._topology.attempts(camera), former_attempts(self._topology, camera)):
            pipeline.hdel(key, *entry_ids)

    def _lock(self, shard: int, ttl_ms: int) -> bool:
        """Whether this worker is the one that reclaims in `shard` for the next `ttl_ms`."""
        key = self._topology.reclaim_lock(shard)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.set(key, self._consumer, nx=True, px=ttl_ms)
        # Keys expire by the broker's wall clock: if it is set back, the lock would be held for as long.
        pipeline.pexpire(key, ttl_ms, lt=True)
        pipeline.exists(former_reclaim_lock(self._topology, shard))
        locked, _, locked_by_an_older_worker = pipeline.execute()
        return bool(locked) and not locked_by_an_older_worker

    def _pending(
        self, cameras: Sequence[str], idle_ms: int, passed_over: Callable[[EntryKey, float], bool]
    ) -> Iterator[_Pending]:
        pipeline = self._client.pipeline(transaction=False)
        for camera in cameras:
            stream = self._topology.frames(camera)
            pipeline.xpending_range(stream, WORKERS_GROUP, "-", "+", PENDING_AT_ONCE, idle=idle_ms)
        for camera, rows in zip(cameras, _execute(pipeline), strict=True):
            for row in rows or []:
                key = EntryKey(camera=camera, entry_id=row["message_id"])
                if not passed_over(key, row["time_since_delivered"] / 1000):
                    yield _Pending(key, deliveries=int(row["times_delivered"]) + 1)

    def _claim(self, pending: Sequence[_Pending], idle_ms: int) -> list[Reclaimed]:
        """Those of `pending` that no other worker has claimed or renewed in the meantime."""
        if not pending:
            return []
        by_camera = _by_camera(one.key for one in pending)
        pipeline = self._client.pipeline(transaction=False)
        for camera, entry_ids in by_camera.items():
            stream = self._topology.frames(camera)
            pipeline.xclaim(stream, WORKERS_GROUP, self._consumer, idle_ms, cast(Any, entry_ids))
            pipeline.hmget(former_attempts(self._topology, camera), cast(Any, entry_ids))
            pipeline.hmget(self._topology.attempts(camera), cast(Any, entry_ids))
        replies = iter(_execute(pipeline))
        raw: dict[EntryKey, dict[bytes, bytes]] = {}
        attempts: dict[EntryKey, tuple[Attempt, ...]] = {}
        for camera, entry_ids in by_camera.items():
            claimed, former, recorded = next(replies), next(replies), next(replies)
            raw.update({EntryKey(camera, entry_id): fields for entry_id, fields in claimed or [] if fields})
            for entry_id, earlier, later in zip(entry_ids, former, recorded, strict=True):
                attempts[EntryKey(camera, entry_id)] = attempts_from_json(earlier) + attempts_from_json(later)
        return [
            Reclaimed(key=one.key, raw=raw[one.key], deliveries=one.deliveries, attempts=attempts[one.key])
            for one in pending
            if one.key in raw
        ]

    def _by_shard(self, cameras: Iterable[str]) -> dict[int, list[str]]:
        shards: dict[int, list[str]] = {}
        for camera in cameras:
            shards.setdefault(self._topology.shard(camera), []).append(camera)
        return shards

    def _keys_by_shard(self, keys: Iterable[EntryKey]) -> dict[int, list[EntryKey]]:
        shards: dict[int, list[EntryKey]] = {}
        for key in keys:
            shards.setdefault(self._topology.shard(key.camera), []).append(key)
        return shards


def attempts_to_json(attempts: Iterable[Attempt]) -> str:
    """Attempts as one line of JSON, readable in `redis-cli` and in a dead letter."""
    return json.dumps([[attempt.worker, attempt.at_ns, attempt.outcome] for attempt in attempts])


def attempts_from_json(value: bytes | None) -> tuple[Attempt, ...]:
    """The attempts in JSON of `attempts_to_json`; none where it is missing or malformed."""
    try:
        rows = load_json(value or b"[]", "a record of attempts", MAX_ATTEMPTS_BYTES)
        return tuple(
            Attempt(harmless(str(worker)), whole(at_ns), harmless(str(outcome))) for worker, at_ns, outcome in rows
        )
    except (MalformedMessage, *WRONG_DATA):
        return ()


def _by_camera(keys: Iterable[EntryKey]) -> dict[str, list[bytes]]:
    cameras: dict[str, list[bytes]] = {}
    for key in keys:
        cameras.setdefault(key.camera, []).append(key.entry_id)
    return cameras


def _execute(pipeline: Any) -> list[Any]:
    """The replies; None for a camera that was removed in the meantime."""
    replies = pipeline.execute(raise_on_error=False)
    for position, reply in enumerate(replies):
        if isinstance(reply, redis.ResponseError) and group_is_missing(reply):
            replies[position] = None
        elif isinstance(reply, Exception):
            raise reply
    return cast("list[Any]", replies)
