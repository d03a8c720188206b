"""A running deployment as its control socket sees it: settings that can be followed, and reports of processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from posebus.config.settings import Settings
from posebus.control.camera_states import CameraStates
from posebus.control.messages import DeploymentStatus
from posebus.telemetry.process_report import TRACKER, WORKER
from posebus.telemetry.reports import Reports


class Followed(Protocol):
    """The settings in force, which follow a file."""

    @property
    def path(self) -> Path | None: ...
    @property
    def settings(self) -> Settings: ...
    def request_reload(self) -> None: ...
    def set_overrides(self, values: Mapping[str, object]) -> None: ...


class RunningDeployment:
    """Answers the control socket (it is a `Controlled`) about this process and its children.

    The loop calls `applied` after each update of the settings, whether something changed or not.
    """

    def __init__(
        self,
        role: str,
        followed: Followed,
        reports: Callable[[], Reports],
        *,
        children: Callable[[], Collection[int]] | None = None,
        stopped: Callable[[], Mapping[str, str]],
    ) -> None:
        """role: "up" or "ingest". reports: of all living processes at the broker.

        children: process ids of the workers and trackers that this process started; None if it starts none. stopped:
        why cameras are not read now, by name.
        """
        self._role = role
        self._followed = followed
        self._reports = reports
        self._children = children
        self._stopped = stopped
        self._states = CameraStates()
        self._revision = 1
        self._problem: str | None = None
        self._restart_for: tuple[str, ...] = ()

    def applied(
        self, restarted: Iterable[str] = (), *, problem: str | None = None, restart_for: Iterable[str] = ()
    ) -> None:
        """The settings were read again. restarted: cameras that are removed, or whose processes start again by others.

        problem: why the file is not in force. restart_for: fields that changed and need a restart.
        """
        self._revision += 1
        self._problem, self._restart_for = problem, tuple(restart_for)
        names = tuple(restarted)
        if names:
            self._states.changed(names, self._reports())

    def status(self) -> DeploymentStatus:
        """The state now. Raises BrokerUnavailable and BrokerRefused."""
        settings, path = self._followed.settings, self._followed.path
        host = socket.gethostname()
        here = {name: report for name, report in self._reports().items() if report.host == host}
        return DeploymentStatus(
            role=self._role,
            pid=os.getpid(),
            settings_file=None if path is None else str(path.absolute()),
            revision=self._revision,
            problem=self._problem,
            restart_for=self._restart_for,
            leaving=self._states.leaving(settings, here),
            workers=self._ready(WORKER, settings.fleet.workers, here),
            trackers=self._ready(TRACKER, settings.fleet.trackers, here),
            cameras=self._states.statuses(settings, self._stopped(), here),
        )

    def reload(self) -> None:
        """Read the settings again at the next step."""
        self._followed.request_reload()

    def override(self, values: Mapping[str, Any]) -> None:
        """Put values over those of the file at the next step. Raises ConfigError."""
        self._followed.set_overrides(values)
        self._followed.request_reload()  # so that there is an update also where nothing changes

    def _ready(self, role: str, wanted: int, reports: Reports) -> tuple[int, int] | None:
        if self._children is None:
            return None
        pids = self._children()
        return sum(report.role == role and report.ready and report.pid in pids for report in reports.values()), wanted
