"""What a run was made with, for summary.json: the settings, the weights, and the versions of the programs."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

from posebus.config.loading import cache_folder
from posebus.config.settings import Settings
from posebus.errors import PoseBusError

PACKAGES = ("posebus", "numpy", "av", "opencv-python", "ultralytics", "openvino", "onnxruntime", "torch")
"""The packages whose versions can change a result."""

_OF_THE_PROGRAM = {"warm_up_px", "fixed_batch", "allow_unknown_weights"}
"""Fields of the worker's settings that no user chooses for a run, or that do not change its results."""


def run_facts(settings: Settings) -> dict[str, Any]:
    """Return `settings`, `model` and `versions` of a run that starts its own workers and trackers.

    With the workers of a running deployment, whose settings are not known here, the first two are None.
    """
    own = settings.fleet.workers > 0
    return {
        "settings": _chosen(settings) if own else None,
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
