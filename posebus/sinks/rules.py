"""A rule as a sink: it publishes the events with which the rule answers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from posebus.bus.redis.connection import Broker
from posebus.config.settings import RetentionSettings
from posebus.contract.events import published
from posebus.contract.public_json import event_fields
from posebus.messages import Event, PoseFrame, TrackFrame
from posebus.sinks.base import NewEvent, Rule
from posebus.subscribing.subscription import Message

_TYPE = re.compile(r"(?!posebus\.)[A-Za-z0-9][A-Za-z0-9._-]{0,126}", re.ASCII)
MOST_EVENTS = 1000
"""Events with which a rule may answer one message."""


class RuleSink:
    """Publishes the events of `rule`, in the order in which they are returned."""

    def __init__(self, name: str, rule: Rule, broker: Broker, retention: RetentionSettings) -> None:
        self._name = name
        self._rule = rule
        self._broker = broker
        self._retention = retention

    def write(self, message: Message) -> None:
        """Ask the rule, and publish its events together. Raises ValueError for events that are not allowed."""
        events = [self._event(number, new, message) for number, new in enumerate(self._answers(message))]
        if not events:
            return
        topology = self._broker.topology
        with self._broker.errors():
            pipeline = self._broker.client.pipeline(transaction=True)
            for event in published(events, time.time_ns()):
                key = topology.events(topology.shard(event.camera))
                pipeline.xadd(key, event_fields(event), maxlen=self._retention.events_kept, approximate=True)
            pipeline.execute()

    def close(self) -> None:
        """Close the rule, if it has a method for that."""
        close = getattr(self._rule, "close", None)
        if close is not None:
            close()

    def _answers(self, message: Message) -> Iterator[NewEvent]:
        if isinstance(message.body, Event) and not message.body.type.startswith("posebus."):
            return  # a rule that answers its own events, or those of other rules, would never end
        for number, new in enumerate(self._rule.events(message)):
            if number >= MOST_EVENTS:
                raise ValueError(f"the rule answers one message with more than {MOST_EVENTS} events")
            yield new

    def _event(self, number: int, new: NewEvent, message: Message) -> Event:
        if not _TYPE.fullmatch(new.type):
            raise ValueError(
                f"the type {new.type[:128]!r} of an event is not allowed: use letters, digits, '.', '_' and '-', and "
                "not 'posebus.' at the beginning"
            )
        body = message.body
        time_ns = body.captured_at_ns if isinstance(body, TrackFrame | PoseFrame) else body.time_ns
        return Event(
            id=f"{message.camera}/{body.epoch}/{body.seq}/{new.type}/{message.id}/{number}",
            type=new.type,
            source=f"posebus/rules/{self._name}",
            subject=message.camera,
            time_ns=time_ns,
            camera=message.camera,
            epoch=body.epoch,
            seq=body.seq,
            data=dict(new.data),
        )
