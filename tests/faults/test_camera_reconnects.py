"""One process that connects to its camera again and again: threads, files, sockets and memory stay the same."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from pathlib import Path

from ingest.process import build_capture
from posebus.bus.redis.connection import open_broker
from posebus.config.settings import CameraSettings
from posebus.runtime.embedded import EmbeddedBroker
from tests.faults.gst_camera import GstCamera, need_gstreamer
from tests.polling import wait_until

CAMERA = "door"
TIMEOUT_S = 600.0
TOLERANCE_BYTES = 10_000_000
"""Allocators keep a little of the freed memory; 100 connections that leaked a picture or a decoder each keep more."""


def usage() -> dict[str, int]:
    """Threads, open files including sockets, and resident bytes of this process."""
    gc.collect()
    files = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            files.append(str(entry.readlink()))
        except FileNotFoundError:
            continue  # the descriptor of this listing itself
    resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "threads": threading.active_count(),
        "native threads": len(list(Path("/proc/self/task").iterdir())),
        "files": len(files),
        "sockets": sum(name.startswith("socket:") for name in files),
        "rss_bytes": resident_pages * os.sysconf("SC_PAGE_SIZE"),
    }


def test_reconnecting_leaks_nothing(tmp_path: Path, thorough: bool) -> None:
    need_gstreamer()
    reconnects = 200 if thorough else 20
    camera = GstCamera(tmp_path, cut_every_s=0.5)
    camera.start()
    with EmbeddedBroker() as url:
        settings = CameraSettings(source=camera.url(), reconnect_min_s=0.01, reconnect_max_s=0.02)
        broker = open_broker(url)
        stage = build_capture(CAMERA, settings, broker, events_kept=1000)

        first_epoch = 0

        def connected(times: int) -> bool:
            nonlocal first_epoch
            epoch = int(broker.client.get(broker.topology.epoch(CAMERA)) or 0)
            first_epoch = first_epoch or epoch
            return 0 < epoch >= first_epoch + times - 1

        def connect_until(times: int) -> dict[str, int]:
            wait_until(
                lambda: connected(times),
                lambda: f"connection {times}; {stage.report()}",
                TIMEOUT_S,
                meanwhile=lambda: stage.step(time.monotonic()),
                poll_s=0.0,
            )
            return usage()

        begin = connect_until(5)
        middle = connect_until(5 + reconnects // 2)
        end = connect_until(5 + reconnects)
        stage.close()
        stopped = usage()
    camera.stop()
    sys.stdout.write(
        f"after 5, {5 + reconnects // 2}, {5 + reconnects} connections, stopped: {begin, middle, end, stopped}\n"
    )
    for kind in ("threads", "native threads", "files", "sockets"):
        assert end[kind] <= begin[kind] + 2, "more than one connection is open"
        assert stopped[kind] <= begin[kind]
    assert end["rss_bytes"] - middle["rss_bytes"] < TOLERANCE_BYTES
