"""The messages of a sink: those that its filters let through and that it has not handled yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from posebus.messages import Event
from posebus.sinks.delivering.records import FINAL, Record, Records, State
from posebus.subscribing.filters import MessageFilter
from posebus.subscribing.subscriber import Subscription
from posebus.subscribing.subscription import Message


class Inbox:
    """Reads the consumer group of a sink. What it leaves out is acknowledged, and recorded with the reason."""

    def __init__(self, subscribe: Callable[[], Subscription], records: Records, chosen: MessageFilter) -> None:
        """`subscribe` opens a subscription that begins with what this consumer has not acknowledged."""
        self._subscribe = subscribe
        self._subscription = subscribe()
        self._records = records
        self._filter = chosen

    def poll(self, timeout_s: float) -> list[tuple[Message, Record | None]]:
        """The messages that are available within about `timeout_s`, each with what is known about earlier attempts."""
        messages = list(self._subscription.poll(timeout_s))
        known = self._known(messages)
        wanted: list[tuple[Message, Record | None]] = []
        others: list[Message] = []
        filtered: dict[str, Record] = {}
        for message in messages:
            event = message.body
            if not isinstance(event, Event):
                wanted.append((message, None))
                continue
            record = known.get(event.id)
            missed = self._filter.missed(event)
            if missed is not None:
                others.append(message)
                if record is None:
                    filtered[event.id] = Record(State.FILTERED, at_ns=time.time_ns(), why=missed)
            elif record is not None and record.state in FINAL:
                others.append(message)
            else:
                wanted.append((message, record))
        if others:
            self.acknowledge(others, filtered)
        return wanted

    def acknowledge(self, messages: Sequence[Message], records: dict[str, Record]) -> None:
        """Acknowledge messages, and record what became of the events among them, as far as that is allowed."""
        if self._records.allowed:
            self._records.settle_all(messages, records)
        else:
            for message in messages:
                self._subscription.acknowledge(message)

    def begin_again(self) -> None:
        """Read what is not acknowledged once more: another process may have delivered in the meantime."""
        self._subscription.close()
        self._subscription = self._subscribe()

    def close(self) -> None:
        """Close the connection."""
        self._subscription.close()

    def _known(self, messages: Sequence[Message]) -> dict[str, Record]:
        by_camera: dict[str, list[str]] = {}
        for message in messages:
            if isinstance(message.body, Event):
                by_camera.setdefault(message.camera, []).append(message.body.id)
        found: dict[str, Record] = {}
        for camera, event_ids in by_camera.items():
            found |= self._records.of(camera, event_ids)
        return found
