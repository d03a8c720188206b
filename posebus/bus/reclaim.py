"""Frames that their worker does not finish: renewing a claim, taking over, and the record of what was tried.

The broker's own count of deliveries says how often a frame was handed out, not whose fault that was: with one poisonous
frame all those beside it in the same worker are handed out again. So what counts against a frame is kept beside it, in
the hash `attempts`: attempts at this frame alone that did not end well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis

from posebus.bus.redis.connection import Broker
from posebus.topology import WORKERS_GROUP

LOOK_AT = 32
"""Pending entries of one camera that one look covers."""
KEEP_S = 3600
"""What was tried is forgotten so long after the camera's last suspect: nothing else removes it if its frame went by
another way."""

GONE = "the worker was gone in the middle of it"
"""Stands in an attempt from its beginning on: the worker that dies cannot say so any more."""

EntryKey = tuple[str, bytes]
"""(camera, entry id) of an entry of `frames`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a frame while nothing else was inside its worker. `at_ns` is the worker's wall clock."""

    worker: str
    at_ns: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Taken:
    """An entry that was taken over, as it stands in the stream; `deliveries` includes this one."""

    camera: str
    entry_id: bytes
    raw: dict[bytes, bytes]
    deliveries: int
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    camera: str
    entry_id: bytes
    deliveries: int


class Reclaimer:
    """One consumer of the workers' group. All methods raise BrokerUnavailable or BrokerRefused."""

    def __init__(self, broker: Broker, consumer: str) -> None:
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology
        self._consumer = consumer

    def claim(
        self, cameras: Iterable[str], idle_ms: int, count: int, passed_over: Callable[[EntryKey, float], bool]
    ) -> list[Taken]:
        """Up to `count` entries whose consumers have neither finished nor renewed them for `idle_ms`.

        `passed_over(place, idle_s)` says which are left to others. One worker of the fleet looks at a time, so that the
        broker is asked no more often by a hundred workers than by one; and for all cameras of a shard at once.
        """
        taken: list[Taken] = []
        with self._broker.errors():
            for shard, names in self._by_shard(cameras).items():
                turn = self._topology.reclaim_lock(shard)
                if not self._takes_turn(turn, max(1, idle_ms // 10)):
                    continue
                found = list(self._look(names, idle_ms, passed_over))
                chosen = found[: count - len(taken)]
                if len(chosen) < len(found):
                    self._client.delete(turn)  # the next worker need not wait
                taken += self._claim(chosen, idle_ms)
        return taken

    def renew(self, places: Iterable[EntryKey]) -> None:
        """Say that these entries are still being worked on. What was committed meanwhile stays gone."""
        with self._broker.errors():
            for shard_places in self._places_by_shard(places).values():
                pipeline = self._client.pipeline(transaction=False)
                for camera, entry_ids in _by_camera(shard_places).items():
                    key = self._topology.frames(camera)
                    # JUSTID: no delivery, and no picture comes back.
                    pipeline.xclaim(key, WORKERS_GROUP, self._consumer, 0, cast(Any, entry_ids), justid=True)
                _execute(pipeline)

    def note(self, place: EntryKey, attempts: Sequence[Attempt]) -> None:
        """Write down all attempts at one entry."""
        camera, entry_id = place
        key = self._topology.attempts(camera)
        with self._broker.errors():
            pipeline = self._client.pipeline(transaction=True)
            if attempts:
                pipeline.hset(key, cast(Any, entry_id), attempts_to_json(attempts))
                pipeline.expire(key, KEEP_S)
            else:
                pipeline.hdel(key, cast(Any, entry_id))
            pipeline.execute()

    def _takes_turn(self, key: str, ttl_ms: int) -> bool:
        pipeline = self._client.pipeline(transaction=False)
        pipeline.set(key, self._consumer, nx=True, px=ttl_ms)
        # Keys expire by the broker's wall clock: set back, it would be had for as long.
        pipeline.pexpire(key, ttl_ms, lt=True)
        taken, _ = pipeline.execute()
        return bool(taken)

    def _look(
        self, cameras: Sequence[str], idle_ms: int, passed_over: Callable[[EntryKey, float], bool]
    ) -> Iterator[_Found]:
        pipeline = self._client.pipeline(transaction=False)
        for camera in cameras:
            pipeline.xpending_range(self._topology.frames(camera), WORKERS_GROUP, "-", "+", LOOK_AT, idle=idle_ms)
        for camera, rows in zip(cameras, _execute(pipeline), strict=True):
            for row in rows or []:
                if not passed_over((camera, row["message_id"]), row["time_since_delivered"] / 1000):
                    yield _Found(camera, row["message_id"], int(row["times_delivered"]) + 1)

    def _claim(self, found: Sequence[_Found], idle_ms: int) -> list[Taken]:
        """Those of `found` that nobody else has claimed or renewed since they were looked at."""
        if not found:
            return []
        by_camera = _by_camera((entry.camera, entry.entry_id) for entry in found)
        pipeline = self._client.pipeline(transaction=False)
        for camera, entry_ids in by_camera.items():
            key = self._topology.frames(camera)
            pipeline.xclaim(key, WORKERS_GROUP, self._consumer, idle_ms, cast(Any, entry_ids))
            pipeline.hmget(self._topology.attempts(camera), cast(Any, entry_ids))
        replies = _execute(pipeline)
        fields: dict[EntryKey, dict[bytes, bytes]] = {}
        noted: dict[EntryKey, bytes | None] = {}
        for (camera, entry_ids), claimed, values in zip(by_camera.items(), replies[::2], replies[1::2], strict=True):
            fields.update({(camera, entry_id): raw for entry_id, raw in claimed or [] if raw})
            noted.update({(camera, entry_id): value for entry_id, value in zip(entry_ids, values, strict=True)})
        return [
            Taken(
                entry.camera,
                entry.entry_id,
                fields[entry.camera, entry.entry_id],
                entry.deliveries,
                attempts_from_json(noted[entry.camera, entry.entry_id]),
            )
            for entry in found
            if (entry.camera, entry.entry_id) in fields
        ]

    def _by_shard(self, cameras: Iterable[str]) -> dict[int, list[str]]:
        shards: dict[int, list[str]] = {}
        for camera in cameras:
            shards.setdefault(self._topology.shard(camera), []).append(camera)
        return shards

    def _places_by_shard(self, places: Iterable[EntryKey]) -> dict[int, list[EntryKey]]:
        shards: dict[int, list[EntryKey]] = {}
        for place in places:
            shards.setdefault(self._topology.shard(place[0]), []).append(place)
        return shards


def attempts_to_json(attempts: Iterable[Attempt]) -> str:
    """One line, readable in `redis-cli` and in a dead letter."""
    return json.dumps([[attempt.worker, attempt.at_ns, attempt.outcome] for attempt in attempts])


def attempts_from_json(value: bytes | None) -> tuple[Attempt, ...]:
    """What `attempts_to_json` wrote; nothing for whatever else stands there."""
    try:
        rows = json.loads(value or b"[]")
        return tuple(Attempt(str(worker), int(at_ns), str(outcome)) for worker, at_ns, outcome in rows)
    except (ValueError, TypeError):
        return ()


def _by_camera(places: Iterable[EntryKey]) -> dict[str, list[bytes]]:
    cameras: dict[str, list[bytes]] = {}
    for camera, entry_id in places:
        cameras.setdefault(camera, []).append(entry_id)
    return cameras


def _execute(pipeline: Any) -> list[Any]:
    """The replies; None of a camera that was removed meanwhile."""
    replies = pipeline.execute(raise_on_error=False)
    for position, reply in enumerate(replies):
        if isinstance(reply, redis.ResponseError) and str(reply).startswith("NOGROUP"):
            replies[position] = None
        elif isinstance(reply, Exception):
            raise reply
    return cast("list[Any]", replies)
