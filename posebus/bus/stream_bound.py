"""Bounds of streams in bytes: Redis trims by entries, so what was appended is counted here.

Sizes are what the fields of an entry hold and what the broker needs besides: MEMORY USAGE tells up to a fifth more or
less.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import redis

from posebus.bus.redis.connection import Client

BROKER_SHARE = 1.25
"""What the broker needs for a byte of an entry: measured 1.12 to 1.45, by how entries fill its nodes of 4 kB."""
PARTS = 32


def entry_bytes(fields: Mapping[Any, Any]) -> int:
    """About what one entry of these fields takes in the broker."""
    values = sum(len(value) if isinstance(value, (str, bytes)) else 8 for value in fields.values())
    return round(BROKER_SHARE * values)


class Ledger:
    """For a stream with one writer: what of it fits into its bound. Pure.

    The newest entries are remembered in parts of a 32nd of the bound, by number and bytes together; where the oldest
    part is cut, its mean counts.
    """

    def __init__(self, max_bytes: int, max_entries: int, found: tuple[int, float] = (0, 0.0)) -> None:
        """`found`: entries that the stream had before, and their mean size in bytes."""
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._parts: deque[list[float]] = deque([[float(found[0]), found[0] * found[1]]])
        self._entries, self._bytes = self._parts[0]

    def append(self, size_bytes: int) -> int:
        """One more entry; returns how many entries, this one included, the stream may keep."""
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
    """For a stream with several writers, none of which knows all of it: entries count as much as the largest did. Pure.

    The largest fades over four times as many entries as the bound has room for, so that one crowd is not for ever.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._peak_bytes = 0.0

    def append(self, size_bytes: int) -> int:
        """One more entry; returns how many entries, this one included, the stream may keep."""
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
    """Let the oldest entries of a stream go until `needed_bytes` fit: for large and rare ones, which are not counted.

    Where the broker does not tell how large the stream is, nothing goes.
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
