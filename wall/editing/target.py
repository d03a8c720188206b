"""What the wall changes: the configuration file of its deployment, or the running deployment alone where there is none.

Everything here blocks, so it belongs into threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from posebus.bus.registry import Registry
from posebus.changing.carrying_out import carried_out
from posebus.changing.targets import ChangeTarget, find_target, running_here
from posebus.changing.wanted import WantedChange
from posebus.config.cameras.camera_settings import CameraSettings
from posebus.config.loading import Checked, check_settings, describe
from posebus.config.redaction import harmless, redact_url
from posebus.config.settings import EMBEDDED
from posebus.errors import ConfigError
from wall.context import WallContext
from wall.editing.answers import Refused

WAIT_S = 8.0
"""A page waits so long for a change; a camera that takes longer to connect goes on by itself."""
NOWHERE = (
    "this wall was started without a configuration file, and no deployment of its user runs on this machine with its "
    "broker: copy the YAML into the file of the deployment, or start the wall with -c FILE"
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class MadeChange:
    """What came of a change: sentences without credentials, and whether running deployments have taken it."""

    sentences: tuple[str, ...]
    is_taken: bool

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return "; ".join(self.sentences)


def find_place(context: WallContext) -> ChangeTarget:
    """Return the file and the running deployments. Raises Refused where there is neither."""
    file = context.settings_file
    if file is not None:
        return find_target(file, os.environ) if file.exists() else ChangeTarget(file, ())
    running = tuple(
        one for one in running_here(os.environ) if _is_same_broker(one.status.redis, context.settings.redis)
    )
    files = {one.status.settings_file for one in running}
    if len(files) != 1:
        raise Refused(503, NOWHERE)
    (path,) = files
    return ChangeTarget(None if path is None else Path(path), running)


def make_change(context: WallContext, change: WantedChange) -> MadeChange:
    """Make a change and wait until it has taken effect, for WAIT_S at most. Raises PoseBusError and Refused."""
    sentences = carried_out(change, find_place(context), os.environ, wait_s=WAIT_S)
    said: list[str] = []
    while True:
        try:
            said.append(harmless(next(sentences)))
        except StopIteration as end:
            return MadeChange(tuple(said), bool(end.value))


def settings_in(target: ChangeTarget) -> Checked | None:
    """Return what the file says, with the environment of the wall; None without a file. Raises ConfigError."""
    if target.file is None or not target.file.exists():
        return None
    checked = check_settings(target.file, os.environ, {})
    if checked.settings is None:
        raise ConfigError(f"the file has mistakes; correct them first: {describe(checked.problems)}")
    return checked


def camera_in(context: WallContext, target: ChangeTarget, camera: str) -> CameraSettings:
    """Return the settings of a camera: those in the file, else what the broker knows of it. Raises Refused."""
    checked = settings_in(target)
    if checked is not None and checked.settings is not None:
        if camera in checked.settings.cameras:
            return checked.settings.cameras[camera]
        raise unknown(camera, checked.settings.cameras)
    running = {one.name: one for each in target.running for one in each.status.cameras}
    found = recorded(context, camera) if camera in running else None
    if found is None:
        raise unknown(camera, running)
    return found.model_copy(update={"source": running[camera].source, "max_fps": running[camera].max_fps})


def recorded(context: WallContext, camera: str) -> CameraSettings | None:
    """Return what the broker knows of a camera, with its kind as the source; None if it is not there.

    Raises BrokerUnavailable and BrokerRefused.
    """
    record = Registry(context.open_broker()).camera(camera)
    if record is None:
        return None
    ground = None if record.ground is None else record.ground.model_dump(mode="json")
    values = {"source": record.source, "rules": dict(record.rules), "ground": ground, "actions": record.actions}
    return CameraSettings.model_validate(values)


def unknown(camera: str, known: Iterable[str]) -> Refused:
    """Return the refusal of a camera that does not exist."""
    names = ", ".join(list(known)[:20]) or "none"
    return Refused(404, f"there is no camera {harmless(camera, 70)!r} in the configuration; there are: {names}")


def _is_same_broker(one: str, other: str) -> bool:
    return other != EMBEDDED and _broker(one) == _broker(redact_url(other))


def _broker(address: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        port = parts.port or (6379 if host else None)
    except ValueError:
        port = None
    return parts.scheme, "localhost" if host in _LOOPBACK else host, port, parts.path.strip("/")
