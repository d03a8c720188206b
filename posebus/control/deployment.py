"""A running deployment as its control socket sees it: settings that can be followed, and reports of processes."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.redaction import redact_url
from posebus.control.camera_states import CameraStates
from posebus.control.messages import DeploymentStatus
from posebus.control.server import ControlServer
from posebus.errors import RetryableError
from posebus.reloading.followed import FollowedSettings, Update
from posebus.telemetry.process_report import TRACKER, WORKER
from posebus.telemetry.reports import Reports, process_reports

log = logging.getLogger("posebus")


class BrokerReports:
    """The reports of all living processes at a broker, to which it connects when they are first asked for.

    Raises BrokerUnavailable and BrokerRefused.
    """

    def __init__(self, redis: str, shards: int) -> None:
        self._redis = redis
        self._shards = shards
        self._registry: Registry | None = None

    def __call__(self) -> Reports:
        if self._registry is None:
            self._registry = Registry(open_broker(self._redis, self._shards))
        return process_reports(self._registry)


class RunningDeployment:
    """Answers the control socket (it is a `Controlled`) about this process and its children.

    The loop calls `applied` after each reading of the settings, whether something changed or not.
    """

    def __init__(
        self,
        role: str,
        followed: FollowedSettings,
        reports: Callable[[], Reports],
        stopped: Callable[[], Mapping[str, str]],
        *,
        children: Callable[[], Collection[int]] | None = None,
    ) -> None:
        """role: "up" or "ingest". reports: of all processes at the broker. stopped: why cameras are not read now.

        children: process ids of the workers and trackers that this process started; None if it starts none.
        """
        self.role = role
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

        problem: why the file is not in force. restart_for: fields that changed and need a restart. During an outage of
        the broker, the states of cameras may be those of before the change for a moment.
        """
        self._revision += 1
        self._problem, self._restart_for = problem, tuple(restart_for)
        names = tuple(restarted)
        if names:
            try:
                self._states.changed(names, self._reports())
            except RetryableError as error:
                log.info("commands may see the former state of cameras: %s", error)

    def status(self) -> DeploymentStatus:
        """The state now. Raises BrokerUnavailable and BrokerRefused."""
        settings, path = self._followed.settings, self._followed.path
        host = socket.gethostname()
        here = {name: report for name, report in self._reports().items() if report.host == host}
        return DeploymentStatus(
            role=self.role,
            pid=os.getpid(),
            settings_file=None if path is None else str(path.absolute()),
            revision=self._revision,
            redis=redact_url(settings.redis),
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


class DeploymentControl:
    """The control socket of a process with its deployment: what the loop of `posebus up` and `ingest` holds."""

    def __init__(self, deployment: RunningDeployment, folder: str | None = None) -> None:
        """Open the socket, by default in the folder of the environment."""
        self._deployment = deployment
        self._server = ControlServer(deployment.role, deployment, folder)

    def __enter__(self) -> DeploymentControl:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.close()

    def poll(self, now_s: float) -> None:
        """Answer what has been asked since the last call; `now_s` is monotonic. It waits for the broker at most."""
        self._server.poll(now_s)

    def updated(self, update: Update) -> None:
        """The settings were read again; called for every update, before it is applied."""
        found, before, after = update.difference, update.before.cameras, update.settings.cameras
        restarted = [name for name in found.changed if before[name].of_process != after[name].of_process]
        self._deployment.applied(
            (*found.removed, *restarted),
            problem=update.problem,
            restart_for=[change.field for change in update.fixed],
        )
