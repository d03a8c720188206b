"""Events from the newest backwards, a page at a time, as far as the broker has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.contract.foreign_json import whole
from posebus.contract.public_json import event_from_json, parse
from posebus.errors import MalformedMessage
from posebus.messages import Event

AT_ONCE = 500
MOST_READ = 5000
"""Entries of a shard that one page reads. Where few of them are of the wanted camera, the page has fewer events."""

_Place = tuple[int, int]
"""The two numbers of the id of an entry."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """events: the newest first; before: the cursor of the next page, None if there is none."""

    events: list[Event]
    before: str | None


def events_before(broker: Broker, before: str | None, count: int, camera: str | None = None) -> EventPage:
    """Return at most `count` events, of one camera or of all, that are older than the cursor `before` of another page.

    Events are ordered by when the broker got them. Raises the broker's errors, and ValueError for a wrong cursor.
    """
    topology = broker.topology
    shards = range(topology.shards) if camera is None else [topology.shard(camera)]
    start = None if before is None else _read_cursor(before)
    found: list[tuple[_Place, int, Event]] = []
    reached: list[tuple[_Place, int]] = []
    for shard in shards:
        events, stopped_at = _of_shard(broker, shard, start, count, camera)
        found += [(place, shard, event) for place, event in events]
        if stopped_at is not None:
            reached.append((stopped_at, shard))
    # What is older than where a shard was read to may have newer neighbours there, which the next page reads.
    limit = max(reached, default=None)
    by_place = {(place, shard): event for place, shard, event in found}
    places = sorted((one for one in by_place if limit is None or one >= limit), reverse=True)
    last = places[count - 1] if len(places) > count else limit
    cursor = None if last is None else f"{last[0][0]}-{last[0][1]}-{last[1]}"
    return EventPage([by_place[one] for one in places[:count]], cursor)


def _of_shard(
    broker: Broker, shard: int, start: tuple[_Place, int] | None, count: int, camera: str | None
) -> tuple[list[tuple[_Place, Event]], _Place | None]:
    """Return up to `count` events of a shard and where reading stopped, None at the end of the stream."""
    key = broker.topology.events(shard)
    last = "+" if start is None else f"{'' if shard < start[1] else '('}{start[0][0]}-{start[0][1]}"
    found: list[tuple[_Place, Event]] = []
    for _ in range(MOST_READ // AT_ONCE):
        with broker.errors():
            page: Any = broker.client.xrevrange(key, last, "-", count=AT_ONCE)
        for entry_id, fields in page:
            place = _place(entry_id.decode())
            event = _event(fields, camera)
            if event is not None:
                found.append((place, event))
                if len(found) == count:
                    return found, place
        if len(page) < AT_ONCE:
            return found, None
        last = f"({page[-1][0].decode()}"
    return found, _place(page[-1][0].decode())


def _event(fields: dict[bytes, bytes], camera: str | None) -> Event | None:
    if camera is not None and fields.get(b"camera", camera.encode()) != camera.encode():
        return None
    try:
        event = event_from_json(parse(fields[b"data"]))
    except (MalformedMessage, KeyError):
        return None
    return event if camera is None or event.camera == camera else None


def _place(entry_id: str) -> _Place:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)


def _read_cursor(text: str) -> tuple[_Place, int]:
    parts = text.split("-")
    if len(parts) != 3:
        raise ValueError("the cursor is none that a page of events gave")
    try:
        return (whole(parts[0]), whole(parts[1])), whole(parts[2])
    except ValueError:
        raise ValueError("the cursor is none that a page of events gave") from None
