"""Reading single messages without a subscription: one event by its id, and the newest tracks of a camera."""

from __future__ import annotations

from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.contract.public_json import event_from_json, parse, track_frame_from_json
from posebus.errors import MalformedMessage
from posebus.messages import Event, Provenance, TrackFrame

PAGE = 1000


def find_event(broker: Broker, camera: str, event_id: str) -> tuple[str, Event] | None:
    """Return (entry ID, event) of the newest entry with this id, None if there is none. Raises the broker's errors."""
    stream = broker.topology.events(broker.topology.shard(camera))
    before, sought = "+", event_id.encode()
    while True:
        with broker.errors():
            page: Any = broker.client.xrevrange(stream, before, "-", count=PAGE)
        for entry_id, fields in page:
            # Without parsing all of them: the id stands in the text as it is, unless it has characters to escape.
            if sought not in fields.get(b"data", b""):
                continue
            try:
                event = event_from_json(parse(fields[b"data"]))
            except MalformedMessage:
                continue
            if event.id == event_id:
                return entry_id.decode(), event
        if len(page) < PAGE:
            return None
        before = f"({page[-1][0].decode()}"


def newest_tracks(broker: Broker, camera: str) -> tuple[TrackFrame, Provenance] | None:
    """Return the newest frame of tracks; None if there is none, or it is unreadable. Raises the broker's errors."""
    with broker.errors():
        entries: Any = broker.client.xrevrange(broker.topology.tracks(camera), count=1)
    try:
        return track_frame_from_json(parse(entries[0][1][b"data"])) if entries else None
    except (MalformedMessage, KeyError):
        return None
