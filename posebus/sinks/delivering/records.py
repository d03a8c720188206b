"""What became of each event at a sink: the hash `deliveries:SINK`, and its bounds.

A record is written in the same transaction that acknowledges the event, so an event that was delivered is not sent
again, even if a process dies at any moment or the stream has several entries of the event.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.config.redaction import harmless
from posebus.contract.foreign_json import WRONG_DATA, load_object, whole
from posebus.errors import BrokerRefused, MalformedMessage
from posebus.messages import Event
from posebus.sinks.delivering.lanes import Place
from posebus.sinks.delivering.letters import add_letter
from posebus.subscribing.subscription import Message

RECORDS_KEPT = 20_000
"""Records of one sink and shard, besides those of events that its filters left out: as many as a stream has events."""
FILTERED_KEPT = 5_000
RECORD_DAYS = 7
TRIM_EVERY = 1_000
"""Records between two looks at the bounds: there may be so many more."""
MAX_WHY = 200

log = logging.getLogger("posebus.sink")


class State(StrEnum):
    """DELIVERED: the receiver has it. WAITING: an attempt failed, another follows. UNDELIVERED: it was given up, and
    kept as a letter. FILTERED: the sink is not to get it. LOST: it left the stream before it could be sent."""

    DELIVERED = "delivered"
    WAITING = "waiting"
    UNDELIVERED = "undelivered"
    FILTERED = "filtered"
    LOST = "lost"


FINAL = frozenset({State.DELIVERED, State.UNDELIVERED, State.LOST})


@dataclass(frozen=True, slots=True)
class Record:
    """What is known about one event at one sink. Times are Unix ns; those that do not apply are 0.

    status: what the receiver answered last; why: the last failure, or the filter, in words; next_ns: the next attempt.
    """

    state: State
    attempts: int = 0
    at_ns: int = 0
    status: str = ""
    why: str = ""
    first_ns: int = 0
    next_ns: int = 0


def record_to_json(record: Record) -> str:
    """Compact JSON, without fields that say nothing."""
    return json.dumps({name: value for name, value in asdict(record).items() if value}, separators=(",", ":"))


def record_from_json(value: bytes) -> Record:
    """The record in a value of the hash. Raises MalformedMessage."""
    data = load_object(value, "a record of a delivery", 10_000)
    try:
        return Record(
            state=State(data["state"]),
            attempts=whole(data.get("attempts", 0)),
            at_ns=whole(data.get("at_ns", 0)),
            status=harmless(str(data.get("status", "")), MAX_WHY),
            why=harmless(str(data.get("why", "")), MAX_WHY),
            first_ns=whole(data.get("first_ns", 0)),
            next_ns=whole(data.get("next_ns", 0)),
        )
    except WRONG_DATA as error:
        raise MalformedMessage(f"a record of a delivery cannot be read: {type(error).__name__}") from None


class Records:
    """The records of one sink. All methods raise BrokerUnavailable and BrokerRefused; several threads may use it."""

    def __init__(self, broker: Broker, sink: str, group: str) -> None:
        self._broker = broker
        self._sink = sink
        self._group = group
        self._written = 0
        self.allowed = True
        """Whether the broker lets this user write them."""

    def check(self) -> None:
        """Raise BrokerRefused unless this user may read and write records."""
        key = self._broker.topology.deliveries(0, self._sink)
        with self._broker.errors():
            self._broker.client.hmget(key, [""])
            self._broker.client.hdel(key, "")

    def check_optional(self) -> None:
        """The same for a sink that works without them."""
        try:
            self.check()
        except BrokerRefused as error:
            self.allowed = False
            log.info("posebus explain does not know what this sink does: %s", error)

    def of(self, camera: str, event_ids: Sequence[str]) -> dict[str, Record]:
        """The records of these events of one camera, by id."""
        if not event_ids or not self.allowed:
            return {}
        with self._broker.errors():
            values: Any = self._broker.client.hmget(self._key(camera), list(event_ids))
        found = {}
        for event_id, value in zip(event_ids, values, strict=True):
            if value is not None:
                with contextlib.suppress(MalformedMessage):
                    found[event_id] = record_from_json(value)
        return found

    def settle(
        self, camera: str, event_id: str, places: Iterable[Place], record: Record, letter: Message | None = None
    ) -> None:
        """Acknowledge all entries of an event, and record what became of it, in one transaction.

        letter: the event, if it cannot be delivered and is to be kept as a letter.
        """
        with self._broker.errors():
            pipeline = self._broker.client.pipeline(transaction=True)
            for stream, entry_id in places:
                pipeline.xack(stream, self._group, entry_id)
            self._write(pipeline, camera, event_id, record)
            if letter is not None:
                add_letter(pipeline, self._broker.topology, self._sink, letter, record.why, record.attempts)
            pipeline.execute()
        self._bound(camera)

    def note(self, camera: str, event_id: str, record: Record) -> None:
        """Record what is known of an event that stays pending, or that is no entry of the stream any more."""
        if not self.allowed:
            return
        with self._broker.errors():
            pipeline = self._broker.client.pipeline(transaction=True)
            self._write(pipeline, camera, event_id, record)
            pipeline.execute()

    def settle_all(self, messages: Sequence[Message], records: Mapping[str, Record]) -> None:
        """Acknowledge messages together, and record those events of which `records` has something, by id."""
        shards: dict[int, list[Message]] = {}
        for message in messages:
            shards.setdefault(self._broker.topology.shard(message.camera), []).append(message)
        for group in shards.values():
            with self._broker.errors():
                pipeline = self._broker.client.pipeline(transaction=True)
                for message in group:
                    pipeline.xack(message.stream, self._group, message.id)
                    record = records.get(message.body.id) if isinstance(message.body, Event) else None
                    if record is not None and isinstance(message.body, Event):
                        self._write(pipeline, message.camera, message.body.id, record)
                pipeline.execute()
            self._bound(group[0].camera)

    def trim(self, camera: str, now_ns: int) -> None:
        """Delete the oldest records beyond the bounds from the hash of the camera's shard."""
        key = self._key(camera)
        with self._broker.errors():
            if self._broker.client.hlen(key) <= FILTERED_KEPT:
                return
            found = dict(self._broker.client.hscan_iter(key, count=2000))
            gone = beyond_bounds(found, now_ns)
            for first in range(0, len(gone), 1000):
                self._broker.client.hdel(key, *gone[first : first + 1000])

    def _write(self, pipeline: Any, camera: str, event_id: str, record: Record) -> None:
        key = self._key(camera)
        pipeline.hset(key, event_id, record_to_json(record))
        pipeline.expire(key, RECORD_DAYS * 86_400)
        self._written += 1

    def _bound(self, camera: str) -> None:
        if self._written >= TRIM_EVERY:
            self._written = 0
            self.trim(camera, time.time_ns())

    def _key(self, camera: str) -> str:
        return self._broker.topology.deliveries(self._broker.topology.shard(camera), self._sink)


def beyond_bounds(found: Mapping[Any, bytes], now_ns: int) -> list[Any]:
    """The ids whose records are too old, too many or unreadable: the oldest go, and never one that waits. Pure."""
    gone: list[Any] = []
    filtered: list[tuple[int, Any]] = []
    others: list[tuple[int, Any]] = []
    for event_id, value in found.items():
        try:
            record = record_from_json(value)
        except MalformedMessage:
            gone.append(event_id)
            continue
        if record.state is State.WAITING and now_ns - record.at_ns < RECORD_DAYS * 86_400e9:
            continue
        (filtered if record.state is State.FILTERED else others).append((record.at_ns, event_id))
    for kept, most in ((filtered, FILTERED_KEPT), (others, RECORDS_KEPT)):
        kept.sort(reverse=True)
        gone += [event_id for at_ns, event_id in kept[:most] if now_ns - at_ns > RECORD_DAYS * 86_400e9]
        gone += [event_id for _, event_id in kept[most:]]
    return gone
