"""Handle every event and every frame of tracks once, also those from the time when this program was not running.

    python examples/subscribing/durable.py [redis://HOST:6379 [FILE]]

The broker remembers the position of the consumer group, and gives a message again that was not handled to its end.
So a message may come twice: its id in the database FILE says that it was handled.
"""

from __future__ import annotations

import sqlite3
import sys

import posebus


def main(url: str | None, path: str) -> None:
    handled = sqlite3.connect(path)
    handled.execute("CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY)")
    with posebus.subscribe(url, after="start", group="durable", consumer="durable-1") as messages:
        for message in messages:  # asking for the next message acknowledges this one
            text = as_text(message)
            with handled:  # in a transaction of your database, together with what you do about the message
                if handled.execute("INSERT OR IGNORE INTO handled VALUES (?)", (text.split()[1],)).rowcount:
                    print(text, flush=True)


def as_text(message: posebus.Message) -> str:
    body = message.body
    if isinstance(body, posebus.Event):
        return f"event {body.id} {body.type}"
    assert isinstance(body, posebus.TrackFrame)
    return f"tracks {body.camera}/{body.epoch}/{body.seq} {len(body.tracks)}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None, sys.argv[2] if len(sys.argv) > 2 else "handled.sqlite")
