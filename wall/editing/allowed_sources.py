"""Which sources a page may name: cameras anywhere, but only files in folders that the deployment reads already.

A page may be opened from far away, and whoever changes cameras there is no user of this machine. Of its files, only
those may be shown that lie beside the configuration, or beside a file that is a camera already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from posebus.config.cameras.camera_settings import CameraSettings
from posebus.config.harmless import HIDDEN
from posebus.config.local_files import is_file_address, local_path
from posebus.config.redaction import harmless
from posebus.errors import SourceRejected
from wall.editing.answers import Refused

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "srt")
KINDS = ("auto", "network", "usb", "file", "images", "synthetic")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?")
_USB = re.compile(r"usb:\d{1,3}")


def checked_source(source: str, kind: str, folders: Iterable[Path]) -> str:
    """Return the source as it is saved: the names of files are absolute. Raises Refused with a sentence at its field.

    kind: the setting; it says what is opened, whatever the source looks like.
    """
    if HIDDEN in source:
        raise _refused(f"{HIDDEN} hides a password that the page never had: write the whole address")
    if kind not in KINDS:
        raise Refused(400, f"the kind must be one of {', '.join(KINDS)} here", path="kind")
    means = _kind_of(source) if kind == "auto" else kind
    if means == "usb":
        if not _USB.fullmatch(source):
            raise _refused("write usb:0 for the first USB camera, usb:1 for the second one")
    elif means == "network":
        match = _ADDRESS.match(source)
        if match is None or not match[2] or match[1].lower() not in SCHEMES:
            known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise _refused(f"an address must begin with one of {known}; write others into the configuration file")
    elif means == "synthetic":
        if not source.startswith("synthetic:"):
            raise _refused("write synthetic:bus or synthetic:zidane, which show people, or another synthetic:NAME")
    else:
        return str(_checked_file(source, list(folders)))
    return source


def allowed_folders(settings_file: Path | None, cameras: Mapping[str, CameraSettings]) -> list[Path]:
    """Return the folders whose files may be cameras, with all folders below them."""
    found = [Path.cwd() if settings_file is None else settings_file.absolute().parent]
    for camera in cameras.values():
        if _kind_of(camera.source) == "file":
            try:
                path = local_path(camera.source).resolve()
            except (SourceRejected, OSError, ValueError, RuntimeError):
                continue
            found.append(path if path.is_dir() else path.parent)
    resolved = dict.fromkeys(folder.resolve() for folder in found)
    return [folder for folder in resolved if folder != Path(folder.anchor)]


def _kind_of(source: str) -> str:
    if source.startswith(("usb:", "synthetic:")):
        return source.partition(":")[0]
    match = _ADDRESS.match(source)
    is_address = match is not None and (match[2] is not None or match[1].lower() in {"pipe", "fd", "data", "concat"})
    return "network" if is_address and not is_file_address(source) else "file"


def _checked_file(source: str, folders: list[Path]) -> Path:
    try:
        path = local_path(source).absolute()
        real = path.resolve()
    except SourceRejected as error:
        raise _refused(str(error)) from None
    except (OSError, ValueError, RuntimeError):
        raise _refused("this cannot be the name of a file") from None
    if not any(real.is_relative_to(folder) for folder in folders):
        # Whether there is such a file is not said.
        known = harmless(", ".join(map(str, folders[:5])), 400) or "no folder"
        raise _refused(
            f"from a page, files are read from these folders alone: {known}; put the file there, or write the camera "
            "into the configuration file"
        )
    return path


def _refused(sentence: str) -> Refused:
    return Refused(400, sentence, path="source")
