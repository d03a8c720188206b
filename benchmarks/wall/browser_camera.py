"""How soon people see their own skeleton on the camera page, what it adds to the delay, and what it sends.

    posebus up --wall …
    python -m benchmarks.wall.browser_camera --wall http://127.0.0.1:8088 --redis URL --clip FILE.mjpeg

Chromium plays the clip as its camera (`ffmpeg -i CLIP -t 3 -r 10 FILE.mjpeg`) and opens the page at a wall that runs.
For each mode it prints one line of JSON. The delay of the page is from the capture of a frame to its identities on the
screen; that of the pipeline is from the publication of the frame to that of its tracks, as the tracker noted both.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from typing import Any, cast

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from posebus.bus.redis.connection import Broker, open_broker

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
IDENTITIES_WITHIN_MS = 120_000


def main() -> None:
    """Measure both modes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wall", default="http://127.0.0.1:8088")
    parser.add_argument("--redis", default="redis://127.0.0.1:6379")
    parser.add_argument("--clip", required=True, help="an MJPEG file")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    broker = open_broker(options.redis)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[*ARGUMENTS, f"--use-file-for-fake-video-capture={options.clip}"],
        )
        for mode in ("pictures", "poses"):
            print(json.dumps(measured(browser, broker, options.wall, mode, options.seconds)))
        browser.close()


def measured(browser: Browser, broker: Broker, wall: str, mode: str, seconds: float) -> dict[str, Any]:
    """Open the page, start the camera in `mode`, and return the figures after some seconds of frames."""
    page = browser.new_page(ignore_https_errors=True)
    page.set_default_timeout(IDENTITIES_WITHIN_MS)
    sizes: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda sent: sizes.extend(frame_bytes(sent))))
    opened_s = time.monotonic()
    page.goto(f"{wall}/camera")
    page.check(f"input[value={mode}]")
    page.get_by_label("Name").fill(f"bench-{mode}")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("body[data-identities=yes]")
    first_s = time.monotonic() - opened_s
    page.wait_for_timeout(1000 * seconds)
    shown = figures(page)
    pipeline_ms = pipeline_delays_ms(broker, f"browser-bench-{mode}")
    page.get_by_role("button", name="Stop").click()
    page.close()
    own_p95_ms = float(np.percentile(pipeline_ms[len(pipeline_ms) // 2 :], 95))
    page_p95_ms = float(shown["Delay (95 %)"].removesuffix(" ms"))
    return {
        "mode": mode,
        "to_own_skeleton_s": round(first_s, 2),
        "fps": float(shown["Frames a second"]),
        "page_delay_p95_ms": page_p95_ms,
        "pipeline_delay_p95_ms": round(own_p95_ms),
        "added_p95_ms": round(page_p95_ms - own_p95_ms),
        "bytes_a_frame": round(float(np.mean(sizes))),
        "largest_bytes": max(sizes),
        "shown": shown,
    }


def frame_bytes(message: str | bytes) -> list[int]:
    """The size of a message that is a frame; nothing for another one."""
    return [len(message)] if isinstance(message, bytes) or message.startswith('{"type":"poses"') else []


def figures(page: Page) -> dict[str, str]:
    """What the page itself says, by name."""
    names, values = (page.locator(f".camera-figures {tag}").all_inner_texts() for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def pipeline_delays_ms(broker: Broker, camera: str) -> list[float]:
    """From the publication of each frame of `camera` to that of its tracks."""
    with broker.errors():
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", broker.client.xrange(broker.topology.tracks(camera)))
    frames = [json.loads(fields[b"data"]) for _, fields in entries]
    return [(frame["published_at_ns"] - frame["frame_published_at_ns"]) / 1e6 for frame in frames]


if __name__ == "__main__":
    main()
