"""The processes of one machine: workers, trackers and ingest as children of the process that needs them."""

from __future__ import annotations

import itertools
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
from posebus.config.sinks import SinkSettings
from posebus.errors import FatalError
from posebus.machine.cpus import available_cpus
from posebus.machine.scratch import ScratchFolder
from posebus.runtime.processes import EXIT_FATAL, Child, ChildProcesses, ChildSpec
from posebus.runtime.python_child import python_command, python_environment
from posebus.runtime.watchdog import Watchdog
from posebus.telemetry.reports import process_reports

READY_POLL_S = 0.05
NEAR_SHARE = 1.5
"""Workers keep their number of threads if it is within this factor of their share of the processors."""
SINK, SINK_MODULE = "sink-", "posebus.sinks"
"""The beginning of the names of children that run a sink, and their module, which stands above this one."""
EVIDENCE = "evidence"
"""Name of the child that makes snapshots of events, and its module, which stands above this one."""
WALL = "wall"
"""Name of the child that serves the live wall."""
INGEST = "ingest"
"""Name of the process that supervises the ingest of all cameras."""

log = logging.getLogger("posebus")


@dataclass(frozen=True, slots=True)
class StageModules:
    """The modules that run each stage as `python -m MODULE --config FILE`."""

    worker: str
    tracker: str
    ingest: str


class Fleet:
    """Children that share one settings file. Use it in a `with`: leaving stops them in order."""

    def __init__(self, settings: Settings, broker: Broker, modules: StageModules, *, follow: bool = False) -> None:
        """`settings.redis` is an address: the parent starts the embedded broker. `modules` run the children.

        follow: the settings may change, by `update`.
        """
        self._modules = modules
        self._following = ("--follow",) if follow else ()
        self._settings = settings = with_threads(settings, available_cpus(), None)
        self._registry = Registry(broker)
        self._folder = ScratchFolder()
        self._config = self._folder.path / "settings.yaml"
        dump_settings(settings, self._config)
        self.processes = ChildProcesses(settings.fleet.restart_min_s, settings.fleet.restart_max_s)
        # The first start on a machine exports the network and compiles kernels, which may take minutes.
        self._watchdog = Watchdog(self._folder.path, from_first_sign=True)
        self.ingest_failed = False
        """Whether a process of ingest has ended because a camera could not be used."""
        self._updated = False
        self._kept: set[str] = set()
        """Roles of which as many processes run as the settings say."""
        self._sinks: dict[str, SinkSettings] | None = None
        """The settings by which the process of each sink was started; None without sinks here."""
        self._wall: tuple[str, ...] | None = None
        """Module and arguments of the child that serves the wall; None without one."""
        self._noted: set[str] = set()
        """Children that have ended for good, which was logged."""

    def start_workers(self) -> None:
        self._kept.add("worker")
        self._keep("worker", self._settings.fleet.workers)

    def start_worker(self, name: str) -> None:
        """Start one more worker, independent of the number in the settings."""
        self._start_watched(name, self._modules.worker, *self._following)

    def start_trackers(self) -> None:
        self._kept.add("tracker")
        self._keep("tracker", self._settings.fleet.trackers)

    def start_ingest(self) -> None:
        """Start one supervisor for all cameras in the settings."""
        arguments = self._modules.ingest, *self._following
        self.processes.start(stage_process(INGEST, self._settings, self._config, *arguments))

    def keep_sinks(self) -> None:
        """Run the sinks of the settings, from now on. If one ends, even by a crash, nothing else ends."""
        self._sinks = {}
        self._tend_sinks()

    def keep_evidence(self, wanted: bool) -> None:
        """Start or dismiss the process that makes snapshots of events. If it ends by itself, nothing else ends."""
        running = EVIDENCE in self.processes.children
        if running and not wanted:
            self.processes.dismiss(EVIDENCE, self._settings.fleet.stop_timeout_s, time.monotonic())
        elif wanted and not running:
            self.processes.start(stage_process(EVIDENCE, self._settings, self._config, EVIDENCE))

    def serve_wall(self, module: str, settings_file: Path | None) -> None:
        """Start the live wall, which saves changes to `settings_file`. If it ends by itself, nothing else ends."""
        saves = () if settings_file is None else ("--settings-file", str(settings_file.absolute()))
        self._wall = (module, *saves, *self._following)
        self.processes.start(stage_process(WALL, self._settings, self._config, *self._wall))

    def update(self, settings: Settings) -> None:
        """Go over to other settings while everything runs, without waiting: children read them, come and go.

        A child that has ended for good is started again, as the settings may have been the reason. Those that are too
        many finish their work. Raises OutputError if the settings cannot be written; then nothing changes.
        """
        settings = with_threads(settings, available_cpus(), self._settings.worker.threads)
        dump_settings(settings, self._config)
        self._settings, self._updated = settings, True
        for name in [name for name, child in self.processes.children.items() if child.has_finished]:
            del self.processes.children[name]
            self._noted.discard(name)
            if name == INGEST:
                self.start_ingest()
            if name == WALL and self._wall is not None:
                self.processes.start(stage_process(WALL, settings, self._config, *self._wall))
            if self._sinks is not None:
                self._sinks.pop(name.removeprefix(SINK), None)
        for role, wanted in (("worker", settings.fleet.workers), ("tracker", settings.fleet.trackers)):
            if role in self._kept:
                self._keep(role, wanted)
        self._tend_sinks()

    def _tend_sinks(self) -> None:
        """End the sinks whose settings are not those that they were started by, and start those that are missing."""
        if self._sinks is None:
            return
        wanted = self._settings.sinks
        for name in [name for name, settings in self._sinks.items() if wanted.get(name) != settings]:
            del self._sinks[name]
            self.processes.dismiss(f"{SINK}{name}", self._settings.fleet.stop_timeout_s, time.monotonic())
        for name, settings in wanted.items():
            child = f"{SINK}{name}"
            # After the one before has ended: that waits for answers, and both at once would deliver twice.
            if name not in self._sinks and child not in self.processes.leaving:
                self.processes.start(stage_process(child, self._settings, self._config, SINK_MODULE, "--name", name))
                self._sinks[name] = settings
                self._noted.discard(child)

    def _keep(self, role: str, wanted: int) -> None:
        """Start or dismiss processes of `role` until `wanted` of them run."""
        prefix = f"{role}-"
        numbers = {
            int(name.removeprefix(prefix)): name
            for name in (*self.processes.children, *self.processes.leaving)
            if name.startswith(prefix) and name.removeprefix(prefix).isdecimal()
        }
        running = sorted(number for number, name in numbers.items() if name in self.processes.children)
        for number in running[wanted:]:
            self.processes.dismiss(numbers[number], self._settings.fleet.stop_timeout_s, time.monotonic())
        module = self._modules.worker if role == "worker" else self._modules.tracker
        # A process that is leaving keeps its name until it has ended.
        free = (number for number in itertools.count(1) if number not in numbers)
        for number in itertools.islice(free, max(0, wanted - len(running))):
            self._start_watched(f"{prefix}{number}", module, *self._following)

    def start_camera(self, camera: str, *arguments: str) -> None:
        """Start ingest of one camera, as a child of its own, with further arguments of its command line.

        It ends if the camera is a file that does not exist.
        """
        self._start_watched(
            camera_process(camera), self._modules.ingest, "--camera", camera, "--must-exist", *arguments
        )

    def pids(self) -> set[int]:
        """The process ids of all children."""
        return {child.process.pid for child in self.processes.children.values()}

    def wait_until_ready(self, waiting: Callable[[int, int], None] = lambda ready, wanted: None) -> None:
        """Wait until every worker and tracker that was started reports that it is ready.

        Calls `waiting(ready, wanted)` meanwhile.

        Raises FatalError if one of them ends instead; its reason is on standard error.
        """
        wanted = sum(not name.startswith(("ingest", EVIDENCE, WALL, SINK)) for name in self.processes.children)
        while True:
            self.check()
            pids = self.pids()
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
        self.processes.tend_leaving(time.monotonic())
        self._tend_sinks()
        for child in self.processes.restart_crashed(time.monotonic()):
            name = child.spec.name
            if name.startswith((SINK, EVIDENCE, WALL)):
                self._note_side(name)
            elif name == INGEST:
                self._note_ingest(child)
            elif not name.startswith("ingest"):
                self._note_end(name, child.exit_code)

    def _note_side(self, name: str) -> None:
        if name not in self._noted:
            self._noted.add(name)
            log.warning("%s has ended and is not started again, see above why; everything else goes on", name)

    def _note_end(self, name: str, exit_code: int | None) -> None:
        """A worker or tracker has ended for good: stop all, unless it has worked by the settings of the start."""
        what = f"the process {name} ended with exit code {exit_code}"
        if not self._updated:
            raise FatalError(f"{what}; see above why")
        if name not in self._noted:
            self._noted.add(name)
            log.error("%s, for the reason above; it starts again when the configuration changes", what)

    def _note_ingest(self, child: Child) -> None:
        if child.exit_code == EXIT_FATAL and not self.ingest_failed:
            self.ingest_failed = True
            # After an update the next one may bring a camera that works.
            if not self._updated and not any(map(self._registry.was_seen, self._settings.cameras)):
                raise FatalError("no camera can be used; see above why")

    def stop(self) -> None:
        """Send SIGTERM to ingest first, so that frames in flight can drain, then to the other children."""
        timeout_s = self._settings.fleet.stop_timeout_s
        sources = {name: child for name, child in self.processes.children.items() if name.startswith("ingest")}
        self.processes.stop(list(sources), timeout_s)
        self.ingest_failed |= INGEST in sources and sources[INGEST].exit_code == EXIT_FATAL
        # The last events have snapshots, too.
        self.processes.stop([name for name in self.processes.children if name != EVIDENCE], timeout_s)
        self.processes.stop(None, timeout_s)
        self._folder.delete()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _start_watched(self, name: str, module: str, *arguments: str) -> None:
        spec = stage_process(name, self._settings, self._config, module, *arguments)
        self.processes.start(self._watchdog.watched(spec))


def camera_process(camera: str) -> str:
    """The name of the child that `Fleet.start_camera` starts."""
    return f"{INGEST}-{camera}"


def with_threads(settings: Settings, cpus: int, before: int | None) -> Settings:
    """Divide the processors among several workers: if each had threads for all of them, all would be slower.

    before: what workers that run already have (None: all processors). It stays unless it is far from their share, as
    another number of threads means another engine. Pure.
    """
    if settings.worker.threads is not None:
        return settings
    share = max(1, cpus // max(1, settings.fleet.workers))
    now = before or cpus
    threads: int | None = now if share / NEAR_SHARE <= now <= share * NEAR_SHARE else share
    if threads == cpus:
        threads = None
    return settings.model_copy(update={"worker": settings.worker.model_copy(update={"threads": threads})})


def stage_process(name: str, settings: Settings, config: Path, module: str, *arguments: str) -> ChildSpec:
    """A child that runs `python -P -m MODULE --config CONFIG`; `config` holds `settings`.

    The file holds what the parent read from its environment and its command line, so the child must not read the
    environment again. The cache folder alone is there, too: compiled kernels find it before any settings are loaded.
    """
    argv = python_command("-m", module, "--config", str(config), *arguments)
    cleared = {key: "" for key in os.environ if key.startswith(PREFIX) and key not in RESERVED}
    environment = {**cleared, **python_environment(), CACHE_DIR_ENV: str(cache_folder(settings))}
    camera = arguments[1] if arguments[:1] == ("--camera",) else None
    return ChildSpec(name, argv, environment, writes_stack_traces=True, camera=camera)
