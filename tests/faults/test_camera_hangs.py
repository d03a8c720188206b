"""A camera library that never returns, with and without Python's global lock: another process kills the process."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from ingest.supervision import IngestSupervisor
from posebus.bus.redis.connection import open_broker
from posebus.config.loading import dump_settings
from posebus.config.settings import CameraSettings, Settings
from posebus.contract.codec import decode_frame
from posebus.messages import Frame
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.processes import ChildProcesses, ChildSpec
from posebus.runtime.watchdog import Watchdog
from tests.faults.test_cameras import events_of
from tests.polling import wait_until

STALLED_AFTER_S = 8.0

HANGING = """
import ctypes, pathlib, sys
from ingest.process import run_camera
from ingest.sources import SourceSpec, registry
from ingest.sources.synthetic import open_synthetic
from posebus.config.loading import load_settings

camera, config, folder = sys.argv[1:]
library = {"locked": ctypes.PyDLL, "unlocked": ctypes.CDLL}[camera](None)
first = pathlib.Path(folder, camera + ".ran")
hangs = not first.exists()
first.touch()

class Hanging:
    def __init__(self, source):
        self.source, self.seen = source, 0
    def __getattr__(self, name):
        return getattr(self.source, name)
    def read(self, admit=None):
        self.seen += 1
        if hangs and self.seen > 60:
            library.sleep(10_000)
        return self.source.read(admit)

def open_hanging(settings, *, live):
    return Hanging(open_synthetic(settings, live=live))

registry.BUILT_IN = {"synthetic": SourceSpec("synthetic", lambda source: True, open_hanging)}
run_camera(load_settings(pathlib.Path(config), {}, {}), camera)
"""


def test_reader_that_hangs_in_a_library_is_killed_and_the_camera_continues() -> None:
    camera = CameraSettings(source="synthetic:bus?fps=20&width=128&height=96", open_timeout_s=0.5, read_timeout_s=0.5)
    with (
        EmbeddedBroker() as url,
        tempfile.TemporaryDirectory() as name,
        ChildProcesses(restart_min_s=0.05) as processes,
    ):
        broker, folder = open_broker(url), Path(name)
        config = folder / "settings.yaml"
        dump_settings(Settings(redis=url, cameras={"locked": camera, "unlocked": camera}), config)
        supervisor = IngestSupervisor(processes, Watchdog(folder, STALLED_AFTER_S))
        argv = [sys.executable, "-c", HANGING]
        supervisor.start(ChildSpec(which, [*argv, which, str(config), name]) for which in ("locked", "unlocked"))

        def epochs(which: str) -> set[int]:
            items = [decode_frame(fields) for _, fields in broker.client.xrange(broker.topology.frames(which))]
            return {item.epoch for item in items if isinstance(item, Frame)}

        def tend() -> None:
            assert supervisor.restart_crashed(time.monotonic()) == []

        wait_until(
            lambda: len(epochs("locked")) == len(epochs("unlocked")) == 2,
            lambda: f"two epochs each; {epochs('locked')}, {epochs('unlocked')}, {events_of(broker)}",
            meanwhile=tend,
        )
        assert [processes.children[which].restarts for which in ("locked", "unlocked")] == [1, 1]
        told = [str(event["type"]).rpartition(".")[2] for event in events_of(broker)["unlocked"]]
    assert [kind for kind in told if kind != "gap"] == ["online", "offline", "online"]
