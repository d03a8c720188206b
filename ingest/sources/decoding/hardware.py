"""Decoding by a graphics card, for live cameras that ask for it. Where there is none, software decodes as ever.

Never for recordings: cards may round otherwise than software, and a lossless run gives the same tracks every time.
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
"""What FFmpeg calls a kind of card, the most capable first: the files under /dev by which one shows itself."""
PROBE_CODEC = "h264"


def open_hardware(setting: str, *, dev: Path = Path("/dev")) -> HWAccel | None:
    """What to give to av.open for `CameraSettings.hardware_decoding`; None for software.

    Raises SourceRejected where a card that was named cannot be used.
    """
    name = choose_hardware(setting, usable_hardware(dev))
    return None if name is None else HWAccel(name, allow_software_fallback=True)


def choose_hardware(setting: str, usable: Collection[str]) -> str | None:
    """The kind of card to decode by, None for software. Raises SourceRejected for one that was named and is missing."""
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
    """The kinds of cards that are there, that FFmpeg knows and that answer it.

    `dev`: the folder of device files; `answers(name)` asks the card itself, by default through FFmpeg.
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
