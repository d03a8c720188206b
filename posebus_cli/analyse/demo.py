"""`posebus demo`: the whole pipeline on synthetic cameras, without a camera and without a broker."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.wording import counted
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption, NetworkOptions, PrivacyOption
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from posebus.config.settings import Settings
    from posebus.runtime.fleet import Fleet

NEXT = """\
Next steps with your own recordings and cameras:
  a recording   posebus run VIDEO
  a camera      posebus up rtsp://user:password@192.168.1.20/stream, or posebus up usb:0
  its picture   posebus snapshot usb0, while it runs
  their tracks  posebus watch, posebus top, or in Python:
                    import posebus
                    for message in posebus.subscribe(kinds=("tracks",)):
                        for track in message.body.tracks:
                            print(message.camera, track.id, track.box_xyxy_px)"""


DEMO_RATE = 12
"""Frames a second of a camera by which the capacity of a machine is stated: enough for identities."""


SECONDS, SECONDS_WITH_WALL = 10.0, 60.0
_WallOption = Annotated[
    bool | None,
    typer.Option(
        "--wall/--no-wall",
        help="Show the cameras live in a browser as well. (default: where a browser can be opened)",
    ),
]


@grouped
def demo(
    *,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds", metavar="N", min=1, help="Duration of the cameras in seconds. (default: 10; with the wall 60)"
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for videos and pictures.")] = Path(
        "demo-out"
    ),
    network: Annotated[NetworkOptions, Offer(first=("engine", "precision", "imgsz"), others=False)],
    privacy: PrivacyOption = None,
    wall: _WallOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try posebus: two synthetic live cameras through the whole pipeline.

    Starts a broker, a worker, a tracker and two cameras that pan over pictures of people, shows their frame rates and
    tracks, and writes an annotated video and a picture of each camera.
    """
    from posebus.config.cameras.privacy import HEADS
    from posebus.config.settings import EMBEDDED
    from posebus_cli.analyse.demo_view import view
    from recordings.interrupts import interruptible
    from recordings.live.demo import demo as run_demo

    settings = settings_from(DeploymentOptions(redis=EMBEDDED), network)
    with interruptible(), view(as_json=as_json) as shown:
        wall = not as_json and _can_show_wall() if wall is None else wall
        seconds = seconds or (SECONDS_WITH_WALL if wall else SECONDS)
        beside = _wall_beside(settings, shown.status) if wall else None
        result = run_demo(settings, seconds, out, shown, privacy=privacy or HEADS, beside=beside)
    if as_json:
        print(json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
        return
    for line in _summary_lines(result.as_dict()):
        print(line)
    print("\n" + NEXT)


def _can_show_wall() -> bool:
    from importlib.util import find_spec

    from posebus_cli.wall_beside import can_open_browser

    return can_open_browser(os.environ, is_terminal=sys.stdout.isatty()) and find_spec("uvicorn") is not None


def _wall_beside(settings: Settings, say: Callable[[str], None]) -> Callable[[Fleet], None]:
    """Return what serves the wall beside the cameras, and opens it."""
    from posebus.config.wall.serving import wall_address
    from posebus_cli.wall_beside import WALL_MODULE, open_when_served

    def serve(fleet: Fleet) -> None:
        fleet.serve_wall(WALL_MODULE, None)
        say(f"the wall: open {wall_address(settings.wall)} in a browser")
        if _can_show_wall():
            open_when_served(settings.wall)

    return serve


def _summary_lines(result: dict[str, Any]) -> Iterator[str]:
    from posebus.telemetry.reports import size_in_words

    views: Counter[str] = Counter()
    for camera in result["cameras"]:
        age = camera["age_ms"]
        views.update(camera.get("views", {}))
        yield (
            f"{camera['name']}: {counted(camera['frames'], 'frame')}, {counted(camera['tracks'], 'identity')}, "
            f"{camera['skipped']} skipped, age {age['p50']} ms (p95 {age['p95']} ms)"
        )
    yield f"network: {result['engine']} {result['precision']} at {size_in_words(result['imgsz'], views)}"
    each = result["fps"]
    for imgsz, fps in result["carried_fps"].items():
        yield f"this machine carries about {_frames_and_cameras(fps)} at {imgsz} px"
    if each < DEMO_RATE:
        yield f"the cameras sent {counted(each, 'frame')} a second, because the engine carries no more here"
    yield from (f"file: {path}" for path in result["files"])


def _frames_and_cameras(fps: float) -> str:
    """Return a rate of all cameras together in words, and how many cameras of DEMO_RATE that are."""
    cameras = int(fps / DEMO_RATE)
    together = f"{fps:.2g} frames a second"
    if not cameras:
        return together
    return f"{together} ({counted(cameras, 'camera')} of {DEMO_RATE})"
