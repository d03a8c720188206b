"""Reading the streams of many cameras as one consumer of a group, for workers and trackers alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, cast

import redis

from posebus.bus.redis.cluster import PartialReply
from posebus.bus.redis.connection import Broker, Client
from posebus.bus.redis.errors import group_is_missing

RawEntry = tuple[str, bytes, dict[bytes, bytes]]
"""(camera, entry id, fields) of an entry in a stream."""


class GroupReader:
    """One consumer of `group`. Raises BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker, group: str, consumer: str) -> None:
        self._broker = broker
        self._client = broker.client
        self._group = group
        self._consumer = consumer
        # The last entry of each stream that arrived. Later entries that are pending for this consumer were in an answer
        # that was lost with the connection; other consumers would reclaim them only after a while.
        self._arrived: dict[bytes, bytes] = {}
        self._answer_lost = False

    def read(
        self, key_of: Callable[[str], str], cameras: Iterable[str], count: int, block_ms: int | None
    ) -> list[RawEntry]:
        """Up to `count` new entries of the stream `key_of(camera)` of each camera; waits `block_ms` for the first.

        One command reads all of them; in a cluster, one for each shard. After a read that failed, the entries of its
        lost answer come first.
        """
        streams = {key_of(camera).encode(): camera for camera in cameras}
        if not streams:
            return []
        with self._broker.errors():
            if self._answer_lost:
                found = self._ask(streams, {key: self._arrived.get(key, b"0") for key in streams}, count, None)
                if found:
                    return found
            self._answer_lost = True
            return self._ask(streams, dict.fromkeys(streams, b">"), count, block_ms)

    def _ask(
        self, cameras: dict[bytes, str], positions: dict[bytes, bytes], count: int, block_ms: int | None
    ) -> list[RawEntry]:
        try:
            reply = self._client.xreadgroup(
                self._group, self._consumer, cast(Any, positions), count=count, block=block_ms
            )
        except redis.ResponseError as error:
            if not group_is_missing(error):
                raise
            left = self._mend(cameras)
            if not left or len(left) == len(cameras):
                time.sleep((block_ms or 0) / 1000)  # the caller comes again at once
                return []
            return self._ask(left, {key: positions[key] for key in left}, count, block_ms)
        if isinstance(reply, PartialReply) and reply.error is not None and group_is_missing(reply.error):
            self._mend(cameras)
        self._answer_lost = isinstance(reply, PartialReply)
        entries: list[RawEntry] = []
        for key, items in cast("list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes] | None]]]]", reply or []):
            for entry_id, raw in items:
                self._arrived[key] = entry_id
                if raw:  # otherwise the entry was deleted in the meantime
                    entries.append((cameras[key], entry_id, raw))
        return entries

    def _mend(self, cameras: dict[bytes, str]) -> dict[bytes, str]:
        """Create missing groups of `cameras` by stream; returns those that the registry has.

        A camera was removed since the registry was last read, or the broker lost its memory.
        """
        known = registered(self._broker, cameras.values())
        left = {key: camera for key, camera in cameras.items() if camera in known}
        for key in left:
            ensure_group(self._client, key.decode(), self._group)
        return left


def registered(broker: Broker, cameras: Iterable[str]) -> set[str]:
    """Those of `cameras` that the registry has. A group of any other would bring a removed camera's streams back."""
    names = set(cameras)
    found: set[str] = set()
    for shard in {broker.topology.shard(camera) for camera in names}:
        records = cast("dict[bytes, bytes]", broker.client.hgetall(broker.topology.cameras(shard)))
        found |= {name.decode(errors="replace") for name in records}
    return names & found


def ensure_group(client: Client, key: str, group: str, start: str = "0") -> None:
    """Create `group` on stream `key`, unless it exists; its first read starts after the entry `start`."""
    try:
        client.xgroup_create(key, group, id=start, mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
