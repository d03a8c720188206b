"""A `posebus up` that runs by a configuration file, and what it publishes, as a subscriber and the registry see it."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import posebus
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.telemetry.camera_state import SWITCHED_OFF
from posebus.telemetry.reports import process_reports
from tests.integration.run_command import alive, children, start
from tests.polling import TIMEOUT_S, wait_until
from tests.ports import free_port


class RunningDeployment:
    """Use it in a `with`; `read` what it publishes, often enough that the broker has not dropped it yet."""

    def __init__(self, config: Path, cache: Path) -> None:
        self.config = config
        self.frames: defaultdict[str, list[posebus.TrackFrame]] = defaultdict(list)
        self.events: list[posebus.Event] = []
        self.lines: list[str] = []
        port = free_port()
        self._log = config.with_suffix(".log")
        self.process = start(cache, "up", "-c", config, "--port", str(port), log=self._log)
        self._address = f"redis://127.0.0.1:{port}"
        self._subscription: posebus.Subscription | None = None
        self._registry: Registry | None = None

    @property
    def registry(self) -> Registry:
        assert self._registry is not None
        return self._registry

    @property
    def log(self) -> str:
        """All that the command and its processes have written to standard error."""
        return self._log.read_text()

    def read(self) -> None:
        """Take what was published since the last call; the command must still run."""
        assert self.process.poll() is None, self.log
        assert self._subscription is not None
        for message in self._subscription.poll(0.02):
            if isinstance(message.body, posebus.TrackFrame):
                self.frames[message.camera].append(message.body)
            elif isinstance(message.body, posebus.Event):
                self.events.append(message.body)

    def wait_until(self, condition: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
        """Read until `condition()` holds; after `timeout_s` fail with what was missing, and with the log."""
        wait_until(condition, lambda: f"{what}\n{self.log[-6000:]}", timeout_s, meanwhile=self.read)

    def pids(self) -> dict[str, int]:
        """The process that captures each camera, as it reports itself."""
        return {
            camera: one.pid
            for one in process_reports(self.registry).values()
            for camera, capture in one.captures.items()
            if capture.state not in SWITCHED_OFF  # those have no process, and are reported by the supervisor
        }

    def ready(self, role: str) -> int:
        """How many processes of this role report that they are ready."""
        return sum(one.role == role and one.ready for one in process_reports(self.registry).values())

    def widths(self) -> dict[str, int]:
        """The width of the pictures of each camera that is captured now, in its newest tracks."""
        return {camera: self.frames[camera][-1].size_px[0] for camera in self.pids() if self.frames[camera]}

    def events_of(self, camera: str) -> list[tuple[str, object]]:
        """The events about a camera: kind and reason."""
        found = [event for event in self.events if event.camera == camera]
        return [(event.type.removeprefix("posebus."), event.data.get("reason")) for event in found]

    def __enter__(self) -> RunningDeployment:
        def answers() -> bool:
            assert self.process.poll() is None, self.log
            try:
                self._registry = Registry(open_broker(self._address))
            except posebus.PoseBusError:
                return False
            return True

        wait_until(answers, "the broker of posebus up")
        self._subscription = posebus.subscribe(self._address, after="start")
        return self

    def __exit__(self, *error: object) -> None:
        if self._subscription is not None:
            self._subscription.close()
        family = children(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        wait_until(lambda: not alive(family), "the end of all its processes")
