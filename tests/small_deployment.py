"""A deployment without cameras and broker for tests of the control socket: a loop that follows a file, in a thread.

Its processes are made up: each camera is read by a new process after every change, whose first report comes some steps
later, and one whose source holds `bad` cannot connect.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from posebus.config.settings import CameraSettings
from posebus.control.deployment import DeploymentControl, RunningDeployment
from posebus.reloading.followed import FollowedSettings, Update
from posebus.telemetry.process_report import INGEST, TRACKER, WORKER, CaptureReport, ProcessReport

FIRST_REPORT_STEPS = 3
STEP_S = 0.01
FIRST_PID = 1000


class SmallDeployment(FollowedSettings):
    """Settings that follow `path` where a command asks for it; `step` does what the loop of `posebus up` does."""

    def __init__(self, path: Path | None, role: str = "up", options: Mapping[str, object] | None = None) -> None:
        super().__init__(path, {}, options or {})
        self.steps = 0
        self.updated: Callable[[Update], None] = lambda update: None
        self._asked = False
        self._started = 0
        self._readers: dict[str, tuple[int, int, CameraSettings]] = {}
        self._start(self.settings.cameras)
        children = self._children if role == "up" else None
        self.deployment = RunningDeployment(role, self, self._reports, self._stopped, children=children)

    def request_reload(self) -> None:
        super().request_reload()
        self._asked = True

    def step(self) -> None:
        self.steps += 1
        if not self._asked:  # a file that was read before the command asked would be no news any more
            return
        self._asked = False
        update = self.poll(time.monotonic())
        assert update is not None, "it was asked for"
        self.updated(update)
        found = update.difference
        self._start((*found.added, *found.removed, *found.changed))

    def _start(self, names: Iterable[str]) -> None:
        """End the processes of these cameras, and start those that the settings want: number, step, settings."""
        for name in names:
            self._readers.pop(name, None)
            camera = self.settings.cameras.get(name)
            if camera is not None and not camera.paused:
                self._started += 1
                self._readers[name] = self._started, self.steps, camera

    def _stopped(self) -> dict[str, str]:
        return {name: "paused" for name, camera in self.settings.cameras.items() if camera.paused}

    def _children(self) -> range:
        return range(FIRST_PID, FIRST_PID + 100)

    def _reports(self) -> dict[str, ProcessReport]:
        host, reports = socket.gethostname(), {}
        for name, (number, since, camera) in self._readers.items():
            if self.steps - since < FIRST_REPORT_STEPS:
                continue
            bad = "bad" in camera.source
            capture = CaptureReport("offline", f"no answer from {camera.source}") if bad else CaptureReport("online")
            reports[f"{name}-{number}"] = ProcessReport(INGEST, host=host, captures={name: capture})
        for role, count in ((WORKER, self.settings.fleet.workers), (TRACKER, self.settings.fleet.trackers)):
            for index in range(count):
                reports[f"{role}-{index}"] = ProcessReport(role, host=host, pid=FIRST_PID + index)
        return reports


@contextmanager
def running(path: Path | None, folder: Path, role: str = "up", **options: object) -> Iterator[SmallDeployment]:
    """A deployment with the file at `path`, whose socket is in `folder`, in a thread until the end of the `with`.

    options: of its command line, as fields of `fleet`.
    """
    small = SmallDeployment(path, role, {f"fleet.{name}": value for name, value in options.items()})
    stop = threading.Event()
    with DeploymentControl(small.deployment, str(folder)) as control:
        small.updated = control.updated

        def loop() -> None:
            while not stop.is_set():
                control.poll(time.monotonic())
                small.step()
                time.sleep(STEP_S)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield small
        finally:
            stop.set()
            thread.join()


def dead_socket(folder: Path, name: str) -> Path:
    """A socket that a process has left behind which was killed."""
    path = folder / name
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.bind(os.fspath(path))
    return path
