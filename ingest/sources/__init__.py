"""Where pictures come from. A kind of source is one file and one row in `SOURCES`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ingest.sources import file, images, network, synthetic, usb
from ingest.sources.base import Admit, Picture, Source
from ingest.sources.decoding.pixels import BgrImage, Image
from ingest.sources.decoding.reducing import reduced_size_px
from ingest.sources.images import read_picture
from ingest.sources.paced import PacedSource
from posebus.config.settings import CameraSettings

__all__ = [
    "SOURCES",
    "Admit",
    "BgrImage",
    "Image",
    "Picture",
    "Source",
    "is_live",
    "open_source",
    "read_picture",
    "reduced_size_px",
    "source_kind",
]


class Opener(Protocol):
    """Opens the source that the settings name. Raises SourceUnavailable or SourceRejected."""

    def __call__(self, settings: CameraSettings, *, live: bool) -> Source: ...


SOURCES: Mapping[str, Opener] = MappingProxyType(
    {
        "file": file.open_file,
        "images": images.open_images,
        "network": network.open_network,
        "usb": usb.open_usb,
        "synthetic": synthetic.open_synthetic,
    }
)
MAX_PAUSE_S = 20.0
"""Played in real time, a longer pause in a recording is cut: the watchdog would take it for a camera that hangs."""
RECORDED = frozenset({"file", "images"})

_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("synthetic", lambda source: source.startswith(synthetic.PREFIX)),
    ("usb", lambda source: source.startswith(usb.PREFIX)),
    ("network", lambda source: bool(re.match(r"[a-z][a-z0-9+.-]*://", source, re.I)) and not _is_file_url(source)),
    ("images", lambda source: _is_picture(Path(source.removeprefix("file://")))),
)


def source_kind(settings: CameraSettings) -> str:
    """The key in `SOURCES` for these settings: as told, or by the form of the source."""
    if settings.kind != "auto":
        return settings.kind
    return next((kind for kind, matches in _FORMS if matches(settings.source)), "file")


def is_live(settings: CameraSettings) -> bool:
    """Whether the freshest picture wins. Recordings are lossless unless played in real time or in a loop."""
    if settings.delivery != "auto":
        return settings.delivery == "live"
    return source_kind(settings) not in RECORDED or settings.realtime or settings.loop


def open_source(settings: CameraSettings) -> Source:
    """Open what the settings name; recordings that are live or in real time come at their own pace.

    Raises SourceUnavailable (worth another try later) or SourceRejected (never).
    """
    kind = source_kind(settings)
    live = is_live(settings)
    source = SOURCES[kind](settings, live=live)
    if kind in RECORDED and (live or settings.realtime):
        return PacedSource(source, max_wait_s=MAX_PAUSE_S)
    return source


def _is_file_url(source: str) -> bool:
    return source.lower().startswith("file://")


def _is_picture(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() in images.SUFFIXES
