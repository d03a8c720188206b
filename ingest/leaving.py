"""How the process of a camera ends, and why: its settings, which its supervisor has written before, say so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ingest.camera_status import CameraStatus
from ingest.publishing.publisher import Publisher
from posebus.config.loading import load_settings
from posebus.config.settings import CameraSettings
from posebus.errors import BrokerUnavailable, ConfigError, LeaseLost
from posebus.logs.about import about
from posebus.reloading.wanted import wanted_cameras
from posebus.telemetry.camera_state import CameraState

STOPPED = "ingest was stopped"
REMOVED = "removed"
CHANGED = "its settings changed"

StopReason = Callable[[], str]

log = logging.getLogger("posebus.ingest")


def reason_from(config: Path, camera: str, running: CameraSettings) -> str:
    """Return why the process that captures `camera` by `running` ends, as events report it.

    `config` is the file that the process was started with, as it is now; a camera that was removed has none.
    """
    try:
        settings = load_settings(config, {}, {})
    except ConfigError:
        return STOPPED if config.exists() else REMOVED
    if camera not in settings.cameras:
        return REMOVED
    _, off = wanted_cameras(settings, datetime.now().astimezone())
    if camera in off:
        return off[camera]
    return STOPPED if settings.cameras[camera] == running else CHANGED


def leave(camera: str, status: CameraStatus, publisher: Publisher, *, live: bool, reason: str) -> None:
    """Announce that a live camera stops, and send everything pending. A recording can be resumed.

    The source of a camera that was removed ends, and with it its tracks.
    """
    # A process on standby, or whose recording has ended, has nothing to announce.
    reads = status.state in (CameraState.ONLINE, CameraState.OFFLINE)
    if live and status.state is CameraState.ONLINE:
        status.announce_offline(reason)
    try:
        publisher.flush()
        if reason == REMOVED and reads and publisher.epoch > 0:
            publisher.accept_end(REMOVED)
            publisher.flush()
    except (BrokerUnavailable, LeaseLost) as error:
        log.warning("camera %s: pending frames and events could not be sent: %s", camera, error, extra=about(camera))
