"""Sending once more what a sink has given up."""

from __future__ import annotations

import time
from collections.abc import Iterator

from posebus.bus.redis.connection import Broker
from posebus.sinks.base import Sender, SendOutcome
from posebus.sinks.delivering.letters import Letter, Letters
from posebus.sinks.delivering.records import Record, Records, State
from posebus.sinks.lag import GROUP_PREFIX


def replay_letters(
    broker: Broker, sink: str, sender: Sender, event_id: str | None = None
) -> Iterator[tuple[Letter, str | None]]:
    """Send each letter once, the oldest first, and delete those that are delivered; yields why the others are not.

    Of an event that was delivered in the meantime the letter is deleted. Raises BrokerUnavailable and BrokerRefused.
    """
    letters = Letters(broker, sink)
    records = Records(broker, sink, f"{GROUP_PREFIX}{sink}")
    for letter in list(letters.all(event_id)):
        event = letter.event
        known = records.of(event.camera, [event.id]).get(event.id)
        if known is not None and known.state is State.DELIVERED:
            letters.drop(letter)
            yield letter, None
            continue
        answer = sender.send(letter.message(letters.key(letter.shard)))
        attempts = letter.attempts + 1
        if answer.outcome is SendOutcome.DELIVERED:
            records.note(event.camera, event.id, Record(State.DELIVERED, attempts, time.time_ns(), answer.status))
            letters.drop(letter)
            yield letter, None
        else:
            state = State.UNDELIVERED
            records.note(event.camera, event.id, Record(state, attempts, time.time_ns(), answer.status, answer.why))
            yield letter, answer.why
