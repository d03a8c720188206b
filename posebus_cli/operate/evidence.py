"""Whether a deployment needs the process that makes snapshots of events: `posebus up` starts it then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posebus.config.settings import CameraSettings, Settings


def any_evidence(settings: Settings) -> bool:
    """Return whether a camera of `settings` keeps pictures for its events."""
    from posebus.config.cameras.evidence import keeps_pictures

    return any(keeps_pictures(camera, live=_is_live(camera)) for camera in settings.cameras.values())


def _is_live(camera: CameraSettings) -> bool:
    from ingest.sources import is_live
    from posebus.errors import PoseBusError

    try:
        return is_live(camera)
    except PoseBusError:  # its process says what is wrong with its source
        return False
