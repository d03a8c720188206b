"""Follow one camera without posebus: a client of Redis and a parser of JSON are enough, in any language.

    python examples/subscribing/any_language.py [redis://HOST:6379 [CAMERA]]

Written with nothing but maps and loops, as it would be in Go, Java or C#: XREAD, the field `data` of each entry, JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import redis


def main(url: str, camera: str) -> None:
    client: Any = redis.Redis.from_url(url, protocol=2)
    after: dict[str, str] = {"posebus:{0}:events": "0", "posebus:{0}:tracks:" + camera: "0"}
    while True:
        for stream, entries in client.xread(after, count=100, block=1000) or []:
            for entry_id, fields in entries:
                after[stream.decode()] = entry_id.decode()
                message: dict[str, Any] = json.loads(fields[b"data"])
                if "specversion" not in message:
                    frame = f"{message['camera']}/{message['epoch']}/{message['seq']}"
                    print("tracks", frame, len(message["tracks"]), flush=True)
                elif message["data"]["camera"] == camera:  # this stream has the events of all cameras
                    print("event", message["id"], message["type"], flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:] + ["redis://127.0.0.1:6399", "door"][len(sys.argv) - 1 :]
    main(arguments[0], arguments[1])
