"""Count the people in front of each camera in an asyncio program, including those who are occluded for a moment.

python examples/count_people.py [redis://HOST:6379]
"""

from __future__ import annotations

import asyncio
import sys

import posebus


async def main(url: str | None) -> None:
    counts: dict[str, int] = {}
    async with posebus.subscribe_async(url, kinds=("tracks",)) as messages:
        async for message in messages:
            frame = message.body
            assert isinstance(frame, posebus.TrackFrame)
            people = sum(track.state == posebus.TrackState.CONFIRMED for track in frame.tracks)
            if counts.get(message.camera) != people:
                counts[message.camera] = people
                print(counts, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
