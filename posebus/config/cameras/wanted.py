"""Which cameras run now, by the settings `paused` and `schedule`, and why the others do not. Pure."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from posebus.config.cameras.camera_settings import CameraSettings
from posebus.config.cameras.schedule import moment_text, read_schedule
from posebus.config.settings import Settings

PAUSED = "paused"

_read_schedule = lru_cache(maxsize=1024)(read_schedule)


class WantedCameras(NamedTuple):
    """The names of the cameras that run, in the order of the settings, and for each of the others why it does not."""

    running: tuple[str, ...]
    off: dict[str, str]


def wanted_cameras(settings: Settings, now: datetime) -> WantedCameras:
    """Return which cameras of `settings` run at `now`, which has a time zone."""
    reasons = {name: why_off(camera, now) for name, camera in settings.cameras.items()}
    running = tuple(name for name, reason in reasons.items() if reason is None)
    return WantedCameras(running, {name: reason for name, reason in reasons.items() if reason is not None})


def why_off(camera: CameraSettings, now: datetime) -> str | None:
    """Return why the camera does not run at `now`: `paused`, or `off until Mon 07:00 CET`; None if it runs."""
    if camera.paused:
        return PAUSED
    if camera.schedule is None:
        return None
    return _off_by(camera.schedule, now)


@lru_cache(maxsize=1024)
def _off_by(text: str, now: datetime) -> str | None:
    """Return why the schedule switches a camera off. Remembered, since thousands of cameras may have the same one."""
    schedule = _read_schedule(text)
    if schedule.is_on(now):
        return None
    begin = schedule.next_begin(now)
    return "off" if begin is None else f"off until {moment_text(begin)}"
