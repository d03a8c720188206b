"""How the process of a camera ends, and why: its settings, which its supervisor has written before, say so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ingest.camera_status import CameraStatus
from ingest.publishing.publisher import Publisher
from ingest.sources import is_live
from posebus.config.cameras.wanted import wanted_cameras
from posebus.config.loading import load_settings
from posebus.config.settings import CameraSettings
from posebus.errors import BrokerUnavailable, ConfigError, LeaseLost
from posebus.logs.about import about
from posebus.telemetry.camera_state import CameraState

STOPPED = "ingest was stopped"
REMOVED = "removed"
CHANGED = "its settings changed"

OTHER_VIEW_FIELDS = ("source", "kind", "rotate")
"""A camera that changes one of them shows other people, or the same ones elsewhere."""


class Leaving(NamedTuple):
    """Why the process of a camera ends, and whether that ends the source: its tracks end, and none goes on later."""

    reason: str = STOPPED
    ends_source: bool = False


StopReason = Callable[[], Leaving]

log = logging.getLogger("posebus.ingest")


def reason_from(config: Path, camera: str, running: CameraSettings) -> Leaving:
    """Return why the process that captures `camera` by `running` ends.

    `config` is the file that the process was started with, as it is now; a camera that was removed has none.
    """
    try:
        settings = load_settings(config, {}, {})
    except ConfigError:
        return Leaving() if config.exists() else Leaving(REMOVED, ends_source=True)
    if camera not in settings.cameras:
        return Leaving(REMOVED, ends_source=True)
    _, off = wanted_cameras(settings, datetime.now().astimezone())
    now = settings.cameras[camera]
    if camera in off:
        # Of a camera, time goes on; a recording continues later at the picture where it stopped.
        return Leaving(off[camera], ends_source=is_live(running))
    if now.of_process == running.of_process:
        return Leaving()
    return Leaving(CHANGED, any(getattr(now, name) != getattr(running, name) for name in OTHER_VIEW_FIELDS))


def leave(camera: str, status: CameraStatus, publisher: Publisher, *, live: bool, leaving: Leaving) -> None:
    """Announce that a live camera stops, and send everything pending. A recording can be resumed.

    The source of a camera that was removed, is switched off or shows something else ends, and with it its tracks.
    """
    # A process on standby, or whose recording has ended, has nothing to announce.
    reads = status.state in (CameraState.ONLINE, CameraState.OFFLINE)
    if live and (status.state is CameraState.ONLINE or (reads and leaving.ends_source)):
        status.announce_offline(leaving.reason)
    try:
        publisher.flush()
        if leaving.ends_source and reads and publisher.epoch > 0:
            publisher.accept_end(leaving.reason)
            publisher.flush()
    except (BrokerUnavailable, LeaseLost) as error:
        log.warning("camera %s: pending frames and events could not be sent: %s", camera, error, extra=about(camera))
