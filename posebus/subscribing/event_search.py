"""One event by its id, in the stream of events."""

from __future__ import annotations

from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.contract.public_json import event_from_json, parse
from posebus.errors import MalformedMessage
from posebus.messages import Event

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
