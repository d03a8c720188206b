"""Follow events and tracks in an asyncio program: all that the broker still holds, and then what comes.

python examples/subscribing/with_asyncio.py [redis://HOST:6379]
"""

from __future__ import annotations

import asyncio
import sys

import posebus


async def main(url: str | None) -> None:
    async with posebus.subscribe_async(url, after="start") as messages:
        async for message in messages:
            body = message.body
            if isinstance(body, posebus.Event):
                print(f"event {body.id} {body.type}", flush=True)
            elif isinstance(body, posebus.TrackFrame):
                print(f"tracks {body.camera}/{body.epoch}/{body.seq} {len(body.tracks)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
