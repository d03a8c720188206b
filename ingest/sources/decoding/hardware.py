"""Decoding by a graphics card, for live cameras that are configured for it. Without a card, software decodes.

Recordings are always decoded in software: cards may round differently, and a lossless run must give the same tracks
every time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import av
import av.error
from av.codec.hwaccel import HWAccel, hwdevices_available

from posebus.errors import SourceRejected

DEVICE_FILES = {"cuda": "nvidia[0-9]*", "vaapi": "dri/renderD*", "qsv": "dri/renderD*"}
"""FFmpeg's name of a kind of card, the most capable first, and the pattern of its device files under /dev."""
PROBE_CODEC = "h264"


def open_hardware(setting: str, *, dev: Path = Path("/dev")) -> HWAccel | None:
    """Return the accelerator to pass to av.open for `CameraSettings.hardware_decoding`; None for software.

    Raises SourceRejected if the settings name a card that cannot be used.
    """
    name = choose_hardware(setting, usable_hardware(dev))
    return None if name is None else HWAccel(name, allow_software_fallback=True)


def choose_hardware(setting: str, usable: Collection[str]) -> str | None:
    """Return the kind of card to decode with, None for software. Raises SourceRejected for a card that is missing."""
    if setting == "off":
        return None
    if setting == "auto":
        return next((name for name in DEVICE_FILES if name in usable), None)
    if setting not in usable:
        found = ", ".join(sorted(usable)) or "none"
        raise SourceRejected(
            f"hardware_decoding is {setting}, which cannot be used here (usable: {found}); check the driver and that "
            "/dev shows the card to this process, or set it to auto or off"
        )
    return setting


def usable_hardware(dev: Path, answers: Callable[[str], bool] | None = None) -> list[str]:
    """Return the kinds of cards that this machine has, that FFmpeg knows and that answer it.

    `dev` is the folder of device files; `answers(name)` queries the card itself, by default through FFmpeg.
    """
    known = set(hwdevices_available())
    there = [name for name, pattern in DEVICE_FILES.items() if any(dev.glob(pattern))]
    return [name for name in there if name in known and (answers or _answers)(name)]


def _answers(name: str) -> bool:
    try:
        context: Any = av.CodecContext.create(PROBE_CODEC, "r", hwaccel=HWAccel(name))
    except (av.error.FFmpegError, NotImplementedError, RuntimeError):
        return False
    return bool(context.is_hwaccel)
