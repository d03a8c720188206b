"""Pages without a browser: each shows all cameras and confirms each frame at once.

    python -m benchmarks.wall.pages PORT PAGES TILES WIDTH_PX FPS SECONDS

Prints JSON: for each page, the seconds from opening it to the first picture, and frames and bytes that it got.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from websockets.asyncio.client import connect


@dataclass
class PageFigures:
    """What one page got."""

    first_picture_s: float | None = None
    frames: int = 0
    pictures: int = 0
    received_bytes: int = 0


def main() -> None:
    """Open the pages, and print what they got."""
    port, pages, tiles, width_px = (int(one) for one in sys.argv[1:5])
    fps, seconds = float(sys.argv[5]), float(sys.argv[6])
    print(json.dumps([asdict(one) for one in asyncio.run(_run(port, pages, tiles, width_px, fps, seconds))]))


async def _run(port: int, pages: int, tiles: int, width_px: int, fps: float, seconds: float) -> list[PageFigures]:
    opened = [_page(port, tiles, width_px, fps, seconds) for _ in range(pages)]
    return list(await asyncio.gather(*opened))


async def _page(port: int, tiles: int, width_px: int, fps: float, seconds: float) -> PageFigures:
    figures, began_s = PageFigures(), time.monotonic()
    place = f"127.0.0.1:{port}"
    async with connect(f"ws://{place}/ws", origin=f"http://{place}", max_size=None, compression=None) as socket:  # type: ignore[arg-type]
        try:
            async with asyncio.timeout(seconds):
                async for message in socket:
                    if isinstance(message, bytes):
                        await socket.send(_counted(figures, message, began_s))
                    elif (content := json.loads(message))["type"] == "cameras":
                        names = [one["name"] for one in content["cameras"]][:tiles]
                        wishes = [{"camera": name, "width_px": width_px, "pictures": True} for name in names]
                        await socket.send(json.dumps({"type": "watch", "tiles": wishes, "max_fps": fps}))
        except TimeoutError:
            pass
    return figures


def _counted(figures: PageFigures, message: bytes, began_s: float) -> str:
    size = int.from_bytes(message[:4], "little")
    header: dict[str, Any] = json.loads(message[4 : 4 + size])
    figures.frames += 1
    figures.received_bytes += len(message)
    if header["picture"] is not None:
        figures.pictures += 1
        if figures.first_picture_s is None:
            figures.first_picture_s = time.monotonic() - began_s
    return json.dumps({"type": "shown", "camera": header["camera"], "epoch": header["epoch"], "seq": header["seq"]})


if __name__ == "__main__":
    main()
