"""Which cameras run now: those that are not paused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from posebus.config.settings import Settings

PAUSED = "paused"


def wanted_cameras(settings: Settings, now: datetime) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Return the names of the cameras that run at `now`, which has a time zone, and why each of the others does not."""
    off = {name: PAUSED for name, camera in settings.cameras.items() if camera.paused}
    return tuple(name for name in settings.cameras if name not in off), off
