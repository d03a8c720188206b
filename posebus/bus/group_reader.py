"""Reading many cameras' streams as one consumer of a group: shared by the workers' and the trackers' side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import redis

from posebus.bus.connection import Broker, Client

RawEntry = tuple[str, bytes, dict[bytes, bytes]]
"""(camera, entry id, fields) as they stand in the stream."""


class GroupReader:
    """One consumer of `group`. Raises BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker, group: str, consumer: str) -> None:
        self._broker = broker
        self._client = broker.client
        self._group = group
        self._consumer = consumer

    def read(
        self, key_of: Callable[[str], str], cameras: Iterable[str], count: int, block_ms: int | None
    ) -> list[RawEntry]:
        """Up to `count` new entries of the stream `key_of(camera)` of each camera.

        One command reads all cameras of a shard; with several shards only the last one may block, and only if the
        others had nothing.
        """
        shards: dict[int, dict[bytes, str]] = {}
        for camera in cameras:
            shards.setdefault(self._broker.topology.shard(camera), {})[key_of(camera).encode()] = camera
        entries: list[RawEntry] = []
        for position, keys in enumerate(shards.values()):
            last = position == len(shards) - 1
            with self._broker.errors():
                entries += self._read_shard(keys, count, block_ms if last and not entries else None)
        return entries

    def _read_shard(self, cameras: dict[bytes, str], count: int, block_ms: int | None) -> list[RawEntry]:
        try:
            reply = self._client.xreadgroup(
                self._group, self._consumer, dict.fromkeys(cameras, ">"), count=count, block=block_ms
            )
        except redis.ResponseError as error:
            if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                raise
            # A camera was removed between two looks at the registry, or the broker lost its memory.
            for key in cameras:
                ensure_group(self._client, key.decode(), self._group)
            return []
        streams = cast("list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]", reply or [])
        return [(cameras[key], entry_id, raw) for key, items in streams for entry_id, raw in items]


def ensure_group(client: Client, key: str, group: str, start: str = "0") -> None:
    """Create `group` on stream `key`, unless it exists; its first read is behind the entry `start`."""
    try:
        client.xgroup_create(key, group, id=start, mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
