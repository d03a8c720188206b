"""Which node of a Redis Cluster has a key. Pure: nothing here connects to a server.

A cluster distributes 16384 hash slots over its nodes. The slot of a key is the CRC16 of its hash tag, the text between
the first braces: see "Key distribution model" in https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from redis.crc import key_slot

Address: TypeAlias = tuple[str, int]
"""(host, port) of a node."""
Position = TypeVar("Position")

SLOTS = 16384
KEYLESS = frozenset(
    {
        *("ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DBSIZE", "ECHO", "FLUSHALL", "FLUSHDB", "INFO", "LATENCY"),
        *("PING", "SCRIPT", "SHUTDOWN", "TIME"),
    }
)
"""Commands that are about a server, not about a key."""


class NodeClients(Protocol):
    """What a pipeline needs of a client of the whole cluster."""

    connection_pool: Any
    response_callbacks: Any

    def address_of(self, slot: int) -> Address:
        """The node that has `slot`. Raises ClusterDownError if no node has it."""

    def client_at(self, address: Address) -> Any:
        """A client of the node at `address`."""

    def noticing(self, address: Address) -> AbstractContextManager[None]:
        """Inside, errors of the node at `address` update the map of slots."""


@dataclass(frozen=True, slots=True)
class SlotMap:
    """Ranges of slots (first, last, the node that has them); where ranges overlap, the first one counts."""

    ranges: tuple[tuple[int, int, Address], ...] = ()

    def owner(self, slot: int) -> Address | None:
        """The node that has `slot`; None if no node has it."""
        return next((address for first, last, address in self.ranges if first <= slot <= last), None)

    @property
    def nodes(self) -> list[Address]:
        """All nodes that have slots, each once."""
        return list(dict.fromkeys(address for _, _, address in self.ranges))

    @property
    def covered(self) -> bool:
        """Whether a node has every slot."""
        return len({slot for first, last, _ in self.ranges for slot in range(first, last + 1)}) == SLOTS

    def moved(self, slot: int, address: Address) -> SlotMap:
        """The same map, with `slot` at `address`."""
        others = (one for one in self.ranges if one[:2] != (slot, slot))
        return SlotMap(((slot, slot, address), *others))


def slot_map(reply: Iterable[Sequence[Any]], asked: str) -> SlotMap:
    """The map in a reply of CLUSTER SLOTS; a node that does not know its own name has the host that was `asked`."""
    return SlotMap(
        tuple((int(first), int(last), (_text(owner[0]) or asked, int(owner[1]))) for first, last, owner, *_ in reply)
    )


def slot_of(key: bytes | str) -> int:
    """The slot of `key`."""
    return int(key_slot(key.encode() if isinstance(key, str) else key))


def key_of(command: Sequence[Any]) -> bytes | str | None:
    """The first key in `command`, as redis-py sends it (b"XADD", key, …); None for a command about a server.

    All keys of one command of posebus are in one slot, so the first one determines the node.
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
    """`streams` (key -> position) in parts that one command may read: those of one slot each."""
    parts: dict[int, dict[Any, Position]] = {}
    for key, position in streams.items():
        parts.setdefault(slot_of(key), {})[key] = position
    return parts


def _key(word: Any) -> bytes | str:
    return word if isinstance(word, bytes | str) else str(word)


def _text(word: Any) -> str:
    return word.decode(errors="replace") if isinstance(word, bytes) else str(word or "")
