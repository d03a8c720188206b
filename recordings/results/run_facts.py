"""What a run was made with, for summary.json: the settings, the weights, and the versions of the programs."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from posebus.config.loading import cache_folder
from posebus.config.redaction import harmless
from posebus.config.settings import Settings
from posebus.errors import PoseBusError

PACKAGES = (
    *("posebus", "numpy", "scipy", "numba", "av", "opencv-python", "simplejpeg", "pillow"),
    *("ultralytics", "openvino", "onnxruntime", "torch"),
)
"""The packages whose versions can change a result."""

_OF_THE_PROGRAM = {"warm_up_px", "fixed_batch", "allow_unknown_weights"}
"""Fields of the worker's settings that no user chooses for a run, or that do not change its results."""


def run_facts(settings: Settings) -> dict[str, Any]:
    """Return `settings`, `changed_settings`, `model` and `versions` of a run that starts its own workers and trackers.

    With the workers of a running deployment, whose settings are not known here, all but the last are None.
    `changed_settings` are the fields, with dots, whose values are not the defaults.
    """
    own = settings.fleet.workers > 0
    return {
        "settings": _chosen(settings) if own else None,
        "changed_settings": _changed(settings) if own else None,
        "model": _model(settings) if own else None,
        "versions": versions(),
    }


def kept_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide about tracks, without those that only decide how fast they come: JSON.

    Empty for the workers and trackers of a running deployment, whose settings are not known here.
    """
    if not settings.fleet.workers:
        return {}
    chosen = _chosen(settings)
    return {"worker": chosen["worker"], "tracker": chosen["tracker"]}


def run_of(started_at: datetime, sources: Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for: when (UTC), by which command, what (absolute paths), with which `options` (JSON)."""
    return {
        "started_at": started_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        # An option may be the address of a broker, with its password.
        "command": ["posebus", *map(harmless, sys.argv[1:])],
        "sources": [str(Path(source).absolute()) if Path(source).exists() else harmless(source) for source in sources],
        "options": dict(options),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed here, by name."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _chosen(settings: Settings) -> dict[str, Any]:
    return {
        "worker": settings.worker.model_dump(mode="json", exclude=_OF_THE_PROGRAM),
        "tracker": settings.tracker.model_dump(mode="json"),
        "workers": settings.fleet.workers,
    }


def _changed(settings: Settings) -> dict[str, Any]:
    chosen, defaults = _chosen(settings), _chosen(Settings())
    changed = {
        f"{section}.{name}": value
        for section in ("worker", "tracker")
        for name, value in chosen[section].items()
        if value != defaults[section][name]
    }
    return changed if chosen["workers"] == defaults["workers"] else {**changed, "fleet.workers": chosen["workers"]}


def _model(settings: Settings) -> dict[str, str | None]:
    from workers.weights.weights import resolve_weights

    worker = settings.worker
    try:
        found = resolve_weights(
            worker.model, allow_unknown=worker.allow_unknown_weights, cache_dir=cache_folder(settings), download=False
        )
    except PoseBusError:
        # A run that found no weights has failed and says so itself.
        return {"name": worker.model, "sha256": None}
    return {"name": found.name, "sha256": found.sha256}
