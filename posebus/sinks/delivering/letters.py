"""Undelivered letters: events that a sink has given up, in the stream `undelivered:SINK`. They can be sent again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from posebus.bus.redis.connection import Broker
from posebus.config.redaction import harmless
from posebus.contract.public_json import dump, event_from_json, parse
from posebus.errors import MalformedMessage
from posebus.messages import Event
from posebus.subscribing.subscription import Message, message_to_json
from posebus.topology import Topology

LETTERS_KEPT = 1_000
"""Letters of one sink and shard."""
PAGE = 100


@dataclass(frozen=True, slots=True)
class Letter:
    """One event that was given up: why, after how many attempts, and when (Unix ns, by the broker's clock)."""

    shard: int
    entry_id: str
    event: Event
    why: str
    attempts: int

    @property
    def at_ns(self) -> int:
        return int(self.entry_id.partition("-")[0]) * 1_000_000

    def message(self, stream: str) -> Message:
        """The event as a sender takes it."""
        return Message("events", self.event.camera, self.event, None, stream, self.entry_id)


def add_letter(pipeline: Any, topology: Topology, sink: str, message: Message, why: str, attempts: int) -> None:
    """Keep the event of `message`, in the transaction of `pipeline`; the oldest letter goes if there are too many."""
    content = message_to_json(message)
    assert content is not None, "an event has a public form"
    fields = {"id": content["id"], "why": why, "attempts": attempts, "data": dump(content)}
    key = topology.undelivered(topology.shard(message.camera), sink)
    pipeline.xadd(key, fields, maxlen=LETTERS_KEPT, approximate=False)


class Letters:
    """The letters of one sink. Raises BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker, sink: str) -> None:
        self._broker = broker
        self.sink = sink

    def all(self, event_id: str | None = None) -> Iterator[Letter]:
        """All letters, or those of one event, the oldest of each shard first. Unreadable entries are left out."""
        for shard in range(self._broker.topology.shards):
            first = "-"
            while page := self._page(shard, first):
                for entry_id, fields in page:
                    letter = _letter(shard, entry_id, fields)
                    if letter is not None and event_id in (None, letter.event.id):
                        yield letter
                first = f"({page[-1][0].decode()}"

    def drop(self, letter: Letter) -> None:
        """Delete a letter; harmless if it is gone."""
        with self._broker.errors():
            self._broker.client.xdel(self.key(letter.shard), letter.entry_id)

    def key(self, shard: int) -> str:
        """The stream of a shard."""
        return self._broker.topology.undelivered(shard, self.sink)

    def _page(self, shard: int, first: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
        with self._broker.errors():
            found: Any = self._broker.client.xrange(self.key(shard), first, "+", count=PAGE)
        return cast("list[tuple[bytes, dict[bytes, bytes]]]", found)


def _letter(shard: int, entry_id: bytes, fields: Mapping[bytes, bytes]) -> Letter | None:
    try:
        event = event_from_json(parse(fields[b"data"]))
        why = harmless(fields.get(b"why", b"").decode(errors="replace"))
        return Letter(shard, entry_id.decode(), event, why, int(fields.get(b"attempts", b"0")))
    except (MalformedMessage, KeyError, ValueError):
        return None
