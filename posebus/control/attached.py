"""Open the control socket of a process that follows its settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.cameras.wanted import wanted_cameras
from posebus.config.settings import Settings
from posebus.control.deployment import RunningDeployment
from posebus.control.server import ControlServer
from posebus.reloading.followed import Update
from posebus.runtime.following import Follower
from posebus.telemetry.reports import Reports, process_reports


class _BrokerReports:
    """The reports of all processes at the broker of `settings`, to which the first call connects."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._registry: Registry | None = None

    def __call__(self) -> Reports:
        if self._registry is None:
            self._registry = Registry(open_broker(self._settings.redis, self._settings.shards))
        return process_reports(self._registry)


@contextmanager
def control_socket(
    role: str, follower: Follower, children: Callable[[], Collection[int]] | None = None
) -> Iterator[None]:
    """Answer commands about this process while the context lasts, from `follower.poll`.

    role: "up" or "ingest". children: process ids of the workers and trackers that this process started; None if it
    starts none.
    """
    followed = follower.followed
    deployment = RunningDeployment(
        role,
        followed,
        _BrokerReports(followed.settings),
        children=children,
        stopped=lambda: wanted_cameras(followed.settings, datetime.now().astimezone()).off,
    )

    def note(update: Update) -> None:
        found = update.difference
        deployment.applied(
            (*found.removed, *found.changed),
            problem=update.problem,
            restart_for=[change.field for change in update.fixed],
        )

    with ControlServer(role, deployment) as server:
        follower.control, follower.on_update = server, note
        yield
