"""Set up the log of this process: standard error, in the format of the settings."""

from __future__ import annotations

import logging
import os
import socket
import sys

from posebus.config.settings import Settings
from posebus.logs.formats import JsonFormatter, LineFormatter


def set_up_logging(settings: Settings, role: str | None = None) -> None:
    """Log to standard error, one line a message, from `settings.log_level` on, in `settings.log_format`.

    `role` is what JSON lines call this process until `name_process` does; without it, the names stay that were given
    before, as when the settings of a running process change.
    """
    before = json_format()
    role = role or (before.role if before is not None else "posebus")
    addresses = [settings.redis, *(camera.source for camera in settings.cameras.values())]
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        process = before.process if before is not None else f"{role}-{socket.gethostname()}-{os.getpid()}"
        formatter = JsonFormatter(role, process, addresses)
        formatter.camera = before.camera if before is not None else None
        handler.setFormatter(formatter)
    else:
        handler.setFormatter(LineFormatter(addresses))
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    # Warnings of libraries are written to standard error otherwise, where a program reads JSON.
    logging.captureWarnings(settings.log_format == "json")


def name_process(role: str | None = None, process: str | None = None, camera: str | None = None) -> None:
    """Give the JSON lines of this process its `role`, its id in the registry, and its `camera`, as far as given."""
    formatter = json_format()
    if formatter is None:
        return
    formatter.role = role or formatter.role
    formatter.process = process or formatter.process
    formatter.camera = camera or formatter.camera


def json_format() -> JsonFormatter | None:
    """The formatter of this process's log if that is JSON."""
    found = (handler.formatter for handler in logging.getLogger().handlers)
    return next((formatter for formatter in found if isinstance(formatter, JsonFormatter)), None)
