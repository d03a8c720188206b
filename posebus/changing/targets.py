"""What a change is about: a configuration file, and the deployments of this user that run with it on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from posebus.config.redaction import harmless
from posebus.control.client import ControlSocket, running_deployments
from posebus.control.messages import DeploymentStatus
from posebus.errors import ConfigError, DeploymentUnavailable


@dataclass(frozen=True, slots=True)
class Running:
    """A deployment on this machine, and its state when the change began."""

    control: ControlSocket
    status: DeploymentStatus

    @property
    def cameras(self) -> list[str]:
        """The names of its cameras."""
        return [camera.name for camera in self.status.cameras]


@dataclass(frozen=True, slots=True)
class ChangeTarget:
    """file: None for a deployment that was started without one. running: the deployments that follow it."""

    file: Path | None
    running: tuple[Running, ...]


def find_target(config: Path | None, environ: Mapping[str, str]) -> ChangeTarget:
    """The file at `config` with its deployments; without it that of the deployment that runs here.

    Raises ConfigError where none runs, or several with different files.
    """
    running = running_here(environ)
    if config is not None:
        return ChangeTarget(config, tuple(one for one in running if _is_same(one.status.settings_file, config)))
    files = {one.status.settings_file for one in running}
    if not running:
        raise ConfigError("no deployment of this user runs on this machine: give its configuration file with -c FILE")
    if len(files) > 1 or (files == {None} and len(running) > 1):
        raise ConfigError(f"several deployments run on this machine ({_listed(running)}): give one's file with -c FILE")
    file = next(iter(files))
    return ChangeTarget(None if file is None else Path(file), tuple(running))


def running_here(environ: Mapping[str, str]) -> list[Running]:
    """All deployments of this user that run on this machine. Raises ConfigError and DeploymentUnavailable."""
    found = []
    for control in running_deployments(environ):
        try:
            found.append(Running(control, control.status()))
        except DeploymentUnavailable:
            if control in running_deployments(environ):
                raise
    return found


def _is_same(one: str | None, other: Path) -> bool:
    if one is None:
        return False
    try:
        return Path(one).samefile(other)
    except OSError:
        return Path(one) == other.absolute()


def _listed(running: Sequence[Running]) -> str:
    shown = (f"process {one.status.pid} with {one.status.settings_file or 'no file'}" for one in running)
    return harmless(", ".join(shown), 400)
