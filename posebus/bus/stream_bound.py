"""Bounds of streams in bytes. Redis trims by entries, so the sizes of appended entries are counted here.

A size is that of an entry's fields and what the broker needs besides; MEMORY USAGE differs by up to a fifth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import redis

from posebus.bus.redis.connection import Client

BROKER_SHARE = 1.25
"""Bytes that the broker needs for a byte of an entry: measured 1.12 to 1.45, by how entries fill its nodes of 4 kB."""
PARTS = 32


def entry_bytes(fields: Mapping[Any, Any]) -> int:
    """The approximate size of an entry with these fields in the broker."""
    values = sum(len(value) if isinstance(value, (str, bytes)) else 8 for value in fields.values())
    return round(BROKER_SHARE * values)


class Ledger:
    """The number of entries that fit into the bound of a stream with one producer. Pure.

    The newest entries are counted in parts of a 32nd of the bound, each with its number of entries and bytes; if the
    oldest part is cut, its mean size counts.
    """

    def __init__(self, max_bytes: int, max_entries: int, found: tuple[int, float] = (0, 0.0)) -> None:
        """`found`: the number of entries that the stream already has, and their mean size in bytes."""
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._parts: deque[list[float]] = deque([[float(found[0]), found[0] * found[1]]])
        self._entries, self._bytes = self._parts[0]

    def append(self, size_bytes: int) -> int:
        """Count one more entry; returns how many entries, this one included, the stream may keep."""
        if self._parts[-1][1] >= self._max_bytes / PARTS:
            self._parts.append([0.0, 0.0])
        self._parts[-1][0] += 1
        self._parts[-1][1] += size_bytes
        self._entries += 1
        self._bytes += size_bytes
        while self._entries > 1 and (self._bytes > self._max_bytes or self._entries > self._max_entries):
            self._drop_oldest()
        return max(1, int(self._entries))

    def _drop_oldest(self) -> None:
        oldest = self._parts[0]
        if oldest[0] < 1:
            self._parts.popleft()
            return
        mean_bytes = oldest[1] / oldest[0]
        excess = max(self._entries - self._max_entries, (self._bytes - self._max_bytes) / max(1.0, mean_bytes))
        gone = min(oldest[0], float(-int(-excess // 1)) or 1.0)
        oldest[0] -= gone
        oldest[1] -= gone * mean_bytes
        self._entries -= gone
        self._bytes -= gone * mean_bytes


class Peak:
    """The same for a stream with several producers: every entry counts as much as the largest that was seen here. Pure.

    The largest size decays over four times as many entries as fit into the bound, so that one crowded frame does not
    count for ever.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._peak_bytes = 0.0

    def append(self, size_bytes: int) -> int:
        """Count one more entry; returns how many entries, this one included, the stream may keep."""
        entries = self._max_bytes / self._peak_bytes if self._peak_bytes else 1.0
        self._peak_bytes = max(float(size_bytes), self._peak_bytes * (1 - 1 / (4 * max(1.0, entries))))
        return max(1, int(self._max_bytes / self._peak_bytes))


def found_in(client: Client, key: str) -> tuple[int, float]:
    """How many entries a stream has, and their mean size by a sample of the oldest and the newest."""
    pipeline = client.pipeline(transaction=False)
    pipeline.xlen(key)
    pipeline.xrange(key, count=8)
    pipeline.xrevrange(key, count=8)
    entries, oldest, newest = pipeline.execute()
    sizes = [entry_bytes(fields) for _, fields in (*oldest, *newest)]
    return int(entries), sum(sizes) / len(sizes) if sizes else 0.0


def make_room(client: Client, key: str, needed_bytes: int, max_bytes: int) -> None:
    """Delete the oldest entries of a stream until `needed_bytes` fit: for large, rare entries, which are not counted.

    Nothing is deleted if the broker does not allow this user to ask for the size of the stream.
    """
    try:
        while (used_bytes := client.memory_usage(key, samples=0) or 0) + needed_bytes > max_bytes:
            entries = client.xlen(key)
            if not entries:
                return
            room_bytes = max(0, max_bytes - needed_bytes)
            client.xtrim(key, maxlen=min(entries - 1, int(entries * room_bytes / used_bytes)), approximate=False)
    except redis.ResponseError:
        return
