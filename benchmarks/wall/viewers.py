"""What a further viewer of the live wall costs, and what the pipeline feels of it.

    python -m benchmarks.wall.viewers --cameras 16 --fps 5 --seconds 8

Cameras publish pictures of 640x480 and tracks of three people through the embedded broker; no network runs, so that the
figures are of the wall alone. The wall is a process of its own; pages without a browser show all cameras and confirm
each frame at once. Processor time is that of the wall's process, all threads. Heads are blurred, so each picture is
decoded and encoded once for all pages. Lateness is from when tracks were due to when the broker had them.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.common.child import child_environment
from benchmarks.common.output import print_and_write
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.python_child import python_command

TILE_PX = 480
"""A sixteenth of a screen of 1920 pixels."""
SETTLE_S = 1.5


@dataclass(frozen=True, slots=True)
class ViewerFigures:
    """One number of viewers: the wall's processor time a second, pictures a second, and how late tracks were."""

    viewers: int
    cpu_share: float
    tile_frames_a_second: float
    first_picture_s: float | None
    lateness_p50_ms: float
    lateness_p99_ms: float


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--viewers", type=int, nargs="+", default=[0, 1, 5])
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table to this file as well")
    arguments = parser.parse_args()
    with EmbeddedBroker() as url, tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "lateness.txt"
        with _child("benchmarks.wall.cameras", url, arguments.cameras, arguments.fps, log), _wall(url) as (port, wall):
            found = [_figures(viewers, port, wall, log, arguments) for viewers in arguments.viewers]
    print_and_write(_table(found, arguments.cameras), arguments.out)


def _figures(viewers: int, port: int, wall: psutil.Process, log: Path, arguments: argparse.Namespace) -> ViewerFigures:
    total_s = SETTLE_S + arguments.seconds + 0.5
    sizes = [port, viewers, arguments.cameras, TILE_PX, arguments.fps * 1.2, total_s]
    pages = subprocess.Popen(
        python_command("-m", "benchmarks.wall.pages", *map(str, sizes)),
        env=child_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(SETTLE_S + 1.0)
    began_s, before = time.monotonic(), wall.cpu_times()
    time.sleep(arguments.seconds - 1.0)
    ended_s, after = time.monotonic(), wall.cpu_times()
    text, _ = pages.communicate(timeout=60)
    got: list[dict[str, Any]] = json.loads(text)
    rows = np.array([line.split() for line in log.read_text().splitlines()[:-1]], float)
    late_ms = 1000 * rows[(rows[:, 0] > began_s) & (rows[:, 0] < ended_s), 1]
    first = [one["first_picture_s"] for one in got if one["first_picture_s"] is not None]
    return ViewerFigures(
        viewers,
        (after.user + after.system - before.user - before.system) / (ended_s - began_s),
        sum(one["pictures"] for one in got) / total_s,
        max(first, default=None),
        float(np.percentile(late_ms, 50)),
        float(np.percentile(late_ms, 99)),
    )


def _table(found: list[ViewerFigures], cameras: int) -> Iterator[str]:
    yield "| viewers | wall, share of a core | pictures a second | first picture, s | lateness p50, ms | p99, ms |"
    yield "|---|---|---|---|---|---|"
    for one in found:
        first = "-" if one.first_picture_s is None else f"{one.first_picture_s:.2f}"
        yield (
            f"| {one.viewers} | {one.cpu_share:.1%} | {one.tile_frames_a_second:.0f} | {first} | "
            f"{one.lateness_p50_ms:.2f} | {one.lateness_p99_ms:.1f} |"
        )
    some = [one for one in found if one.viewers]
    if len(some) > 1:
        more = (some[-1].cpu_share - some[0].cpu_share) / (some[-1].viewers - some[0].viewers)
        yield ""
        yield f"A further viewer: {more:.1%} of a core, {more / cameras:.2%} of a core for each tile."


@contextmanager
def _wall(url: str) -> Iterator[tuple[int, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _child("wall", "--redis", url, "--port", port) as process:
        end_s = time.monotonic() + 60
        while time.monotonic() < end_s and not _answers(port):
            time.sleep(0.1)
        yield port, psutil.Process(process.pid)


def _answers(port: int) -> bool:
    import httpx

    try:
        return httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def _child(module: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    command = python_command("-m", module, *map(str, arguments))
    process = subprocess.Popen(command, env=child_environment(), stdout=sys.stderr)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
