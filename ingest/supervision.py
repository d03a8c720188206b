"""One process for each camera that runs: started, restarted and ended one by one, as the settings change.

No process of another camera is touched by a change. Pure but for the processes that it is given and the files that they
read; single-threaded.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ingest.sources import is_live
from posebus.config.loading import dump_settings
from posebus.config.policies import Policies, policies_of
from posebus.config.settings import CameraSettings, Settings
from posebus.errors import PoseBusError
from posebus.logs.about import about
from posebus.runtime.fleet import stage_process
from posebus.runtime.processes import EXIT_DONE, EXIT_FATAL, SPARE, Child, ChildProcesses, ChildSpec
from posebus.runtime.python_child import python_command
from posebus.runtime.watchdog import Watchdog
from posebus.telemetry.camera_state import CameraState

REMOVAL = "removal of "
"""Begins the names of the processes that end removed cameras; no camera's name has a space."""
ASK_EVERY_S = 1.0
"""How often schedules are looked at."""

log = logging.getLogger("posebus.ingest")


class CameraChildren(Protocol):
    """The processes of cameras and of removals, by name."""

    def start(self, specs: Iterable[ChildSpec]) -> None:
        """Start one process per spec."""

    def running(self) -> set[str]:
        """The names of the processes that run, or wait to be restarted."""

    def leaving(self) -> set[str]:
        """The names of those that were dismissed and have not ended yet."""

    def dismiss(self, name: str, now_s: float) -> None:
        """Let one end, without waiting for it."""

    def tend(self, now_s: float) -> list[tuple[str, int]]:
        """Restart what crashed or hangs; return the names and exit codes of those that ended for good, once each."""


class IngestSupervisor:
    """Restarts the ingest processes of one machine when they crash, and kills them when they hang."""

    def __init__(
        self,
        processes: ChildProcesses,
        watchdog: Watchdog,
        stop_timeout_s: float = 10.0,
        spare: ChildSpec | None = None,
    ) -> None:
        """`spare`: one such process waits for the next camera; see `CameraFiles.spare`."""
        self._spare = spare
        self._processes = processes
        self._watchdog = watchdog
        self._stop_timeout_s = stop_timeout_s

    def start(self, specs: Iterable[ChildSpec]) -> None:
        """Start one process per spec."""
        for spec in specs:
            # A removal waits for other processes, and gives no life signs.
            watched = spec if spec.name.startswith(REMOVAL) else self._watchdog.watched(spec)
            self._processes.start(watched)

    def restart_crashed(self, now_s: float) -> list[Child]:
        """Kill hanging children and restart crashed ones; return those that ended for good (done or rejected)."""
        self._watchdog.check(self._processes.children, now_s)
        return self._processes.restart_crashed(now_s)

    def running(self) -> set[str]:
        return set(self._processes.children)

    def leaving(self) -> set[str]:
        return set(self._processes.leaving)

    def dismiss(self, name: str, now_s: float) -> None:
        self._processes.dismiss(name, self._stop_timeout_s, now_s)

    def tend(self, now_s: float) -> list[tuple[str, int]]:
        self._processes.tend_leaving(now_s)
        ended = [(child.spec.name, child.exit_code or EXIT_DONE) for child in self.restart_crashed(now_s)]
        for name, _ in ended:
            del self._processes.children[name]
        if self._spare is not None:
            self._processes.keep_spare(self._spare, now_s)
        return ended


class CameraFiles:
    """The settings file of each camera's process, which holds that camera alone, and how the process is started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, settings: Settings, camera: str) -> None:
        """Write the file, for a process that starts or that will ask why it ends."""
        alone = settings.model_copy(update={"cameras": {camera: settings.cameras[camera]}})
        dump_settings(alone, self._path(camera))

    def delete(self, camera: str) -> None:
        """Delete it: its process finds that the camera was removed."""
        self._path(camera).unlink(missing_ok=True)

    def process(self, settings: Settings, camera: str) -> ChildSpec:
        """The process that captures a camera whose file is written."""
        spec = stage_process(camera, settings, self._path(camera), "ingest", "--camera", camera, "--supervised")
        return replace(spec, urgent=True)

    def removal(self, settings: Settings, camera: str) -> ChildSpec:
        """The process that ends a camera that was removed."""
        path = self._folder / "removals.yaml"
        dump_settings(settings.model_copy(update={"cameras": {}}), path)
        return stage_process(f"{REMOVAL}{camera}", settings, path, "ingest", "--camera", camera, "--remove")

    def spare(self, settings: Settings) -> ChildSpec:
        """A process that has loaded what the process of a camera needs, and waits for a camera."""
        spec = stage_process("spare", settings, self._folder, "ingest")
        return replace(spec, argv=python_command("-m", "ingest", *SPARE))

    def _path(self, camera: str) -> Path:
        # The suffix keeps a camera called `removals` apart.
        return self._folder / f"{camera}.camera.yaml"


@dataclass(frozen=True, slots=True)
class Need:
    """What the process of a camera depends on: another one means that it starts again.

    `camera` is `CameraSettings.of_process`.
    """

    camera: CameraSettings
    policies: Policies


Wanted = Callable[[Settings], tuple[Iterable[str], Mapping[str, str]]]
"""The cameras that run now, and why the others do not: see `posebus.config.cameras.wanted`."""


class CameraProcesses:
    """The processes of all cameras: `use` settings, then call `step` several times a second."""

    def __init__(self, children: CameraChildren, files: CameraFiles, wanted: Wanted) -> None:
        self._children = children
        self._files = files
        self._wanted = wanted
        self._settings = Settings()
        self._needs: dict[str, Need] = {}
        self._started: dict[str, Need] = {}
        self._finished: dict[str, Need] = {}
        self._to_remove: set[str] = set()
        self._runs: frozenset[str] = frozenset()
        self._asked_at_s = -math.inf
        self.rejected: set[str] = set()
        """Cameras whose process has given them up."""
        self.off: Mapping[str, str] = {}
        """Why cameras do not run although they are configured, by name."""

    @property
    def over(self) -> dict[str, CameraState]:
        """The cameras whose processes have ended for good: their recording was read, or they were given up."""
        over = [name for name, need in self._finished.items() if self._needs.get(name) == need and name not in self.off]
        return {name: CameraState.GIVEN_UP if name in self.rejected else CameraState.ENDED for name in over}

    @property
    def finished(self) -> bool:
        """Whether all cameras have ended for good, and nothing is left to do."""
        busy = self._children.running() | self._children.leaving()
        return bool(self._finished) and set(self._needs) <= set(self._finished) and not busy and not self._to_remove

    def use(self, settings: Settings) -> None:
        """Run the cameras of `settings` from the next step on."""
        removed = set(self._needs) - set(settings.cameras)
        needs = {name: _need(settings, name) for name in settings.cameras}
        self._to_remove = (self._to_remove | removed) - set(needs)
        for name in removed:
            self._files.delete(name)
            self._finished.pop(name, None)
            self.rejected.discard(name)
        # A process that crashes reads its file again, which is why all get a new level of logging, too.
        logs_alike = self._settings.log_level == settings.log_level
        before = self._settings.cameras
        same = {name for name, one in settings.cameras.items() if logs_alike and before.get(name) == one}
        changed = {name for name, need in needs.items() if name not in same or self._needs.get(name) != need}
        self._settings, self._needs, self._asked_at_s = settings, needs, -math.inf
        for name in changed:
            self._files.write(settings, name)

    def step(self, now_s: float) -> None:
        """Start, end and restart what the settings and the exit codes ask for. `now_s` is monotonic."""
        for name, exit_code in self._children.tend(now_s):
            self._ended(name, exit_code)
        if now_s - self._asked_at_s >= ASK_EVERY_S:
            running_now, self.off = self._wanted(self._settings)
            self._runs, self._asked_at_s = frozenset(running_now), now_s
        for name in self._children.running():
            if self._has_to_end(name):
                self._children.dismiss(name, now_s)
        self._start_cameras()
        self._start_removals()

    def _start_cameras(self) -> None:
        running, leaving = self._children.running(), self._children.leaving()
        for name, need in self._needs.items():
            # A process that still leaves holds the camera's lease: the new one loads meanwhile, and waits for it.
            begins = name in self._runs and name not in running and self._finished.get(name) != need
            if begins and REMOVAL + name not in running | leaving:
                self._finished.pop(name, None)
                self.rejected.discard(name)
                self._started[name] = need
                self._children.start([self._files.process(self._settings, name)])

    def _start_removals(self) -> None:
        busy = self._children.running() | self._children.leaving()
        for name in self._to_remove:
            if not busy & {name, REMOVAL + name}:
                self._children.start([self._files.removal(self._settings, name)])

    def _has_to_end(self, name: str) -> bool:
        if name.startswith(REMOVAL):
            return name.removeprefix(REMOVAL) in self._needs  # the camera is back
        return name not in self._runs or self._started[name] != self._needs[name]

    def _ended(self, name: str, exit_code: int) -> None:
        if name.startswith(REMOVAL):
            camera = name.removeprefix(REMOVAL)
            self._to_remove.discard(camera)
            if exit_code != EXIT_DONE:
                text = "camera %s stays listed, for the reason above; 'posebus forget %s' removes it"
                log.error(text, camera, camera, extra=about(camera))
            return
        self._finished[name] = self._started[name]
        if exit_code == EXIT_FATAL:
            self.rejected.add(name)
            log.error("camera %s is given up, for the reason above", name, extra=about(name))


def _need(settings: Settings, camera: str) -> Need:
    one = settings.cameras[camera]
    try:
        live = is_live(one)
    except PoseBusError:  # its process says what is wrong with its source
        live = True
    return Need(one.of_process, policies_of(one, settings.worker, live=live))
