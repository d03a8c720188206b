"""Which build of posebus a process is, and since when it runs, as metrics."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def posebus_version() -> str:
    """The version of the installed package; "unknown" where posebus runs without being installed."""
    try:
        return version("posebus")
    except PackageNotFoundError:
        return "unknown"


def build_metrics(started_at_s: float) -> dict[str, list[list[Any]]]:
    """The build of this process, which started at `started_at_s` (Unix time), in the form of `Metrics.snapshot()`."""
    return {
        "posebus_build_info": [[posebus_version(), platform.python_version(), 1]],
        "posebus_process_start_time_seconds": [[round(started_at_s, 3)]],
    }
