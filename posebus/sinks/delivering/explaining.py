"""What became of one event: read from the streams and records of a deployment, and said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from posebus.bus.redis.connection import Broker
from posebus.config.sinks import SinkSettings
from posebus.errors import BrokerRefused, ConfigError
from posebus.messages import Event
from posebus.sinks.delivering.letters import Letters
from posebus.sinks.delivering.records import Record, Records, State
from posebus.sinks.lag import GROUP_PREFIX
from posebus.subscribing.filters import MessageFilter
from posebus.subscribing.lookup import find_event
from posebus.subscribing.positions import order

LONGEST_ID = 500


@dataclass(frozen=True, slots=True)
class AtSink:
    """One event at one sink. `settings`: those of the file, None if it has no such sink.

    record: None without one; letter: whether it is kept as undelivered; passed: whether the sink has read on beyond the
    event, None if the sink has never read.
    """

    sink: str
    settings: SinkSettings | None
    record: Record | None
    letter: bool
    passed: bool | None


@dataclass(frozen=True, slots=True)
class EventFate:
    """An event, its entry in the stream (None if it is not there any more), and what became of it at each sink."""

    event_id: str
    event: Event | None
    entry_id: str | None
    sinks: tuple[AtSink, ...]


def event_fate(broker: Broker, event_id: str, sinks: Mapping[str, SinkSettings]) -> EventFate:
    """Read all about an event. Raises ConfigError if nothing is known of it, BrokerUnavailable and BrokerRefused."""
    camera = event_id.partition("/")[0]
    if len(event_id) > LONGEST_ID or event_id.count("/") < 3 or not camera:
        raise ConfigError(
            "this is no id of an event: one is CAMERA/EPOCH/SEQ/TYPE and perhaps more, as 'posebus watch --kind events "
            "--json' shows it"
        )
    found = find_event(broker, camera, event_id)
    names = sorted({*sinks, *sinks_at(broker)})
    read_to = _groups(broker, broker.topology.shard(camera))
    at = tuple(_at(broker, name, sinks.get(name), event_id, found, read_to) for name in names)
    letter = next((letter for one in at if one.letter for letter in Letters(broker, one.sink).all(event_id)), None)
    if found is None and letter is None and not any(one.record is not None for one in at):
        raise ConfigError(
            f"there is no event {event_id[:200]!r} at {broker.where}: it never was there, or it has left its stream "
            "and no sink knows it"
        )
    event = found[1] if found is not None else letter.event if letter is not None else None
    return EventFate(event_id, event, None if found is None else found[0], at)


def sinks_at(broker: Broker) -> set[str]:
    """The names of the sinks that have read events at this broker."""
    names: set[str] = set()
    for shard in range(broker.topology.shards):
        names |= {name.removeprefix(GROUP_PREFIX) for name in _groups(broker, shard) if name.startswith(GROUP_PREFIX)}
    return names


def why_not(at: AtSink, event: Event) -> str | None:
    """The setting of a sink by which it does not get an event; None if it gets it. Pure."""
    chosen = at.settings
    if chosen is None:
        return None
    if chosen.cameras is not None and event.camera not in chosen.cameras:
        return "cameras"
    if chosen.kinds is not None and "events" not in chosen.kinds:
        return "kinds"
    return MessageFilter.of_events(chosen.types, chosen.rules).missed(event)


def _at(
    broker: Broker,
    name: str,
    settings: SinkSettings | None,
    event_id: str,
    found: tuple[str, Event] | None,
    read_to: Mapping[str, str],
) -> AtSink:
    group = f"{GROUP_PREFIX}{name}"
    record = Records(broker, name, group).of(event_id.partition("/")[0], [event_id]).get(event_id)
    letter = record is not None and record.state is State.UNDELIVERED and any(Letters(broker, name).all(event_id))
    last = read_to.get(group)
    passed = None if last is None else found is None or order(last) >= order(found[0])
    return AtSink(name, settings, record, letter, passed)


def _groups(broker: Broker, shard: int) -> dict[str, str]:
    """The consumer groups of a stream of events, with the entry that each was given last; none without the stream."""
    stream = broker.topology.events(shard)
    with broker.errors():
        if not broker.client.exists(stream):
            return {}
    try:
        with broker.errors():
            groups = cast(Any, broker.client.xinfo_groups(stream))
    except BrokerRefused:
        return {}
    return {one["name"].decode(errors="replace"): one["last-delivered-id"].decode() for one in groups}
