"""The processes of one machine: workers, trackers and ingest as children of the process that needs them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.environment import PREFIX, RESERVED
from posebus.config.loading import CACHE_DIR_ENV, cache_folder, dump_settings
from posebus.config.settings import Settings
from posebus.errors import FatalError
from posebus.machine.cpus import available_cpus
from posebus.machine.scratch import ScratchFolder
from posebus.runtime.processes import EXIT_FATAL, Child, ChildProcesses, ChildSpec
from posebus.runtime.python_child import python_command, python_environment
from posebus.runtime.watchdog import Watchdog
from posebus.telemetry.reports import process_reports

log = logging.getLogger("posebus")

READY_POLL_S = 0.05
SINK, SINK_MODULE = "sink-", "posebus.sinks"
"""The beginning of the names of children that run a sink, and their module, which stands above this one."""
INGEST = "ingest"
"""Name of the process that supervises the ingest of all cameras."""


@dataclass(frozen=True, slots=True)
class StageModules:
    """The modules that run each stage as `python -m MODULE --config FILE`."""

    worker: str
    tracker: str
    ingest: str


class Fleet:
    """Children that share one settings file. Use it in a `with`: leaving stops them in order."""

    def __init__(self, settings: Settings, broker: Broker, modules: StageModules) -> None:
        """`settings.redis` is an address: the parent starts the embedded broker. `modules` run the children."""
        self._modules = modules
        self._settings = settings = _with_threads(settings)
        self._registry = Registry(broker)
        self._folder = ScratchFolder()
        self._config = self._folder.path / "settings.yaml"
        dump_settings(settings, self._config)
        self.processes = ChildProcesses(settings.fleet.restart_min_s, settings.fleet.restart_max_s)
        # The first start on a machine exports the network and compiles kernels, which may take minutes.
        self._watchdog = Watchdog(self._folder.path, from_first_sign=True)
        self._sinks_ended: set[str] = set()
        self.ingest_failed = False
        """Whether a process of ingest has ended because a camera could not be used."""

    def start_workers(self) -> None:
        for index in range(self._settings.fleet.workers):
            self.start_worker(f"worker-{index + 1}")

    def start_worker(self, name: str) -> None:
        """Start one more worker, independent of the number in the settings."""
        self._start_watched(name, self._modules.worker)

    def start_trackers(self) -> None:
        for index in range(self._settings.fleet.trackers):
            self._start_watched(f"tracker-{index + 1}", self._modules.tracker)

    def start_ingest(self) -> None:
        """Start one supervisor for all cameras in the settings."""
        self.processes.start(stage_process("ingest", self._settings, self._config, self._modules.ingest))

    def start_sinks(self) -> None:
        """Start the sinks of the settings. One that ends, in whichever way, ends nothing else."""
        for name in self._settings.sinks:
            child = f"{SINK}{name}"
            spec = stage_process(child, self._settings, self._config, SINK_MODULE, "--name", name)
            self.processes.start(spec)

    def start_camera(self, camera: str) -> None:
        """Start ingest of one camera, as a child of its own."""
        self._start_watched(f"ingest-{camera}", self._modules.ingest, "--camera", camera)

    def wait_until_ready(self, waiting: Callable[[int, int], None] = lambda ready, wanted: None) -> None:
        """Wait until every worker and tracker that was started reports that it is ready.

        Calls `waiting(ready, wanted)` meanwhile.

        Raises FatalError if one of them ends instead; its reason is on standard error.
        """
        wanted = sum(not name.startswith(("ingest", SINK)) for name in self.processes.children)
        while True:
            self.check()
            pids = {child.process.pid for child in self.processes.children.values()}
            reports = process_reports(self._registry).values()
            ready = sum(1 for report in reports if report.ready and report.pid in pids)
            waiting(ready, wanted)
            if ready >= wanted:
                return
            time.sleep(READY_POLL_S)

    def check(self) -> None:
        """Kill children that hang, restart those that crashed. Raises FatalError if a worker or tracker has ended.

        Likewise if ingest has ended without a single frame: no camera can be used.
        """
        self._watchdog.check(self.processes.children, time.monotonic())
        for child in self.processes.restart_crashed(time.monotonic()):
            if child.spec.name.startswith(SINK):
                self._note_sink(child.spec.name)
            elif not child.spec.name.startswith("ingest"):
                raise FatalError(f"the process {child.spec.name} ended with exit code {child.exit_code}; see above why")
            if child.spec.name == INGEST:
                self._note_ingest(child)

    def _note_sink(self, name: str) -> None:
        if name not in self._sinks_ended:
            self._sinks_ended.add(name)
            log.warning("%s has ended and is not started again, see above why; everything else goes on", name)

    def _note_ingest(self, child: Child) -> None:
        if child.exit_code == EXIT_FATAL and not self.ingest_failed:
            self.ingest_failed = True
            if not any(self._registry.was_seen(camera) for camera in self._settings.cameras):
                raise FatalError("no camera can be used; see above why")

    def stop(self) -> None:
        """Send SIGTERM to ingest first, so that frames in flight can drain, then to the other children."""
        timeout_s = self._settings.fleet.stop_timeout_s
        sources = {name: child for name, child in self.processes.children.items() if name.startswith("ingest")}
        self.processes.stop(list(sources), timeout_s)
        self.ingest_failed |= INGEST in sources and sources[INGEST].exit_code == EXIT_FATAL
        self.processes.stop(None, timeout_s)
        self._folder.delete()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _start_watched(self, name: str, module: str, *arguments: str) -> None:
        spec = stage_process(name, self._settings, self._config, module, *arguments)
        self.processes.start(self._watchdog.watched(spec))


def _with_threads(settings: Settings) -> Settings:
    """Divide the processors among several workers: if each had threads for all of them, all would be slower."""
    if settings.worker.threads is not None or settings.fleet.workers < 2:
        return settings
    threads = max(1, available_cpus() // settings.fleet.workers)
    return settings.model_copy(update={"worker": settings.worker.model_copy(update={"threads": threads})})


def stage_process(name: str, settings: Settings, config: Path, module: str, *arguments: str) -> ChildSpec:
    """A child that runs `python -P -m MODULE --config CONFIG`; `config` holds `settings`.

    The file holds what the parent read from its environment and its command line, so the child must not read the
    environment again. The cache folder alone is there, too: compiled kernels find it before any settings are loaded.
    """
    argv = python_command("-m", module, "--config", str(config), *arguments)
    cleared = {key: "" for key in os.environ if key.startswith(PREFIX) and key not in RESERVED}
    environment = {**cleared, **python_environment(), CACHE_DIR_ENV: str(cache_folder(settings))}
    return ChildSpec(name, argv, environment, writes_stack_traces=True)
