"""The cameras of a file and of running deployments, with their states."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.changing.targets import ChangeTarget
from posebus.config.loading import load_settings
from posebus.config.redaction import redact_url
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import BrokerRefused, BrokerUnavailable
from posebus.telemetry.reports import capture_of, process_reports

NOT_RUNNING = "not running"
NOT_SAVED = "not saved"
NOT_LOADED = "not loaded"


@dataclass(frozen=True, slots=True)
class CameraLine:
    """One camera. state: that of its ingest process, or why there is none. fps, max_fps: frames a second."""

    name: str
    source: str
    state: str
    reason: str | None
    fps: float | None
    max_fps: float | None


def camera_lines(target: ChangeTarget, settings: Settings | None) -> list[CameraLine]:
    """The cameras of running deployments, then those of the file `settings` that none of them has."""
    found: dict[str, CameraLine] = {}
    in_file = {} if settings is None else settings.cameras
    for one in target.running:
        for camera in one.status.cameras:
            line = CameraLine(camera.name, camera.source, camera.state, camera.reason, camera.fps, camera.max_fps)
            if settings is not None and camera.name not in in_file:
                line = replace(line, reason="; ".join(filter(None, [NOT_SAVED, camera.reason])))
            found.setdefault(camera.name, line)
    missing = {name: other for name, other in in_file.items() if name not in found}
    elsewhere = {} if target.running or settings is None else _states_at_broker(settings)
    for name, other in missing.items():
        state, reason, fps = elsewhere.get(name, (NOT_LOADED if target.running else NOT_RUNNING, None, None))
        found[name] = CameraLine(name, redact_url(other.source), state, reason, fps, other.max_fps)
    return list(found.values())


def settings_of(file: Path | None) -> Settings | None:
    """The settings in `file`; None without one. Raises ConfigError."""
    return None if file is None else load_settings(file, os.environ, {})


def _states_at_broker(settings: Settings) -> dict[str, tuple[str, str | None, float | None]]:
    """(state, reason, fps) of the cameras that processes anywhere report to the broker of `settings`."""
    if settings.redis == EMBEDDED:
        return {}
    try:
        reports = process_reports(Registry(open_broker(settings.redis, settings.shards)))
    except (BrokerUnavailable, BrokerRefused) as error:
        return dict.fromkeys(settings.cameras, ("unknown", str(error), None))
    read = {name for report in reports.values() for name in report.captures}
    captures = {name: capture_of(reports, name) for name in read}
    return {name: (one.state, one.trouble, one.fps) for name, one in captures.items()}
