"""Which node of a Redis Cluster has a key. Pure: nothing here speaks to a server.

A cluster spreads 16384 hash slots over its nodes. The slot of a key is the CRC16 of its hash tag, what stands between
the first braces: see "Key distribution model" in https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from redis.crc import key_slot

Address: TypeAlias = tuple[str, int]
Position = TypeVar("Position")

SLOTS = 16384
KEYLESS = frozenset(
    {
        *("ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DBSIZE", "ECHO", "FLUSHALL", "FLUSHDB", "INFO", "LATENCY"),
        *("PING", "SCRIPT", "SHUTDOWN", "TIME"),
    }
)
"""Commands that are about a server and not about a key."""


@dataclass(frozen=True, slots=True)
class SlotMap:
    """Ranges of slots (first, last, who has them); of those that overlap, the first one counts."""

    ranges: tuple[tuple[int, int, Address], ...] = ()

    def owner(self, slot: int) -> Address | None:
        """Who has `slot`; None where nobody has."""
        return next((address for first, last, address in self.ranges if first <= slot <= last), None)

    @property
    def nodes(self) -> list[Address]:
        """Everybody who has slots, once."""
        return list(dict.fromkeys(address for _, _, address in self.ranges))

    @property
    def covered(self) -> bool:
        """Whether every slot has somebody."""
        return len({slot for first, last, _ in self.ranges for slot in range(first, last + 1)}) == SLOTS

    def moved(self, slot: int, address: Address) -> SlotMap:
        """The same, but for `slot`, which is at `address` now."""
        others = (one for one in self.ranges if one[:2] != (slot, slot))
        return SlotMap(((slot, slot, address), *others))


def slot_map(reply: Iterable[Sequence[Any]], asked: str) -> SlotMap:
    """The map in a reply of CLUSTER SLOTS; a node that does not know its own name is at the host that was `asked`."""
    return SlotMap(
        tuple((int(first), int(last), (_text(owner[0]) or asked, int(owner[1]))) for first, last, owner, *_ in reply)
    )


def slot_of(key: bytes | str) -> int:
    """The slot of `key`."""
    return int(key_slot(key.encode() if isinstance(key, str) else key))


def key_of(command: Sequence[Any]) -> bytes | str | None:
    """The first key in `command`, as redis-py sends it (b"XADD", key, …); None for one that is about a server.

    All keys of one command of posebus are in one slot, so the first one tells.
    """
    name, *words = _text(command[0]).upper().split()
    if name in KEYLESS or len(command) == 1:
        return None
    if name in {"XREAD", "XREADGROUP"}:
        # A group may be called STREAMS, too.
        options = range(1 if name == "XREAD" else 4, len(command))
        return _key(command[1 + next(index for index in options if _text(command[index]).upper() == "STREAMS")])
    if name in {"EVAL", "EVALSHA"}:
        return _key(command[3]) if int(command[2]) else None
    if name in {"XGROUP", "XINFO", "MEMORY", "OBJECT"} and not words:
        return _key(command[2])
    return _key(command[1])


def by_slot(streams: Mapping[Any, Position]) -> dict[int, dict[Any, Position]]:
    """`streams` (key -> position) in parts that one command may read: those of one slot."""
    parts: dict[int, dict[Any, Position]] = {}
    for key, position in streams.items():
        parts.setdefault(slot_of(key), {})[key] = position
    return parts


def _key(word: Any) -> bytes | str:
    return word if isinstance(word, bytes | str) else str(word)


def _text(word: Any) -> str:
    return word.decode(errors="replace") if isinstance(word, bytes) else str(word or "")
