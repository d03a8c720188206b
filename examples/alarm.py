"""Print a line whenever a person appears or leaves, including those from the time when this program was not running.

    python examples/alarm.py [redis://HOST:6379]

Without an address, it follows the deployment of `posebus up` on this machine. The broker remembers the position of the
consumer group `alarm`. Start a second program with another consumer name, and the two share the events.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import posebus
from posebus import EventType

WORDS = {EventType.TRACK_STARTED: "appeared", EventType.TRACK_ENDED: "left"}


def main(url: str | None) -> None:
    with posebus.subscribe(url, kinds=("events",), after="start", group="alarm", consumer="alarm-1") as messages:
        for message in messages:
            event = message.body
            # A number that ended by a correction: its person is still present, under another number.
            if isinstance(event, posebus.Event) and event.type in WORDS and event.data.get("reason") != "renamed":
                at = datetime.fromtimestamp(event.time_ns / 1e9, tz=UTC)
                print(f"{at:%H:%M:%S} {event.camera}: person {event.data['track_id']} {WORDS[EventType(event.type)]}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
