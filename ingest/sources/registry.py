"""The table of all kinds of sources, and opening the source that a camera's settings name.

A kind of source is one file with a `SPEC`, and one row in `BUILT_IN`. Other packages add kinds by entry points of the
group `posebus.sources`, each of which names a `SourceSpec` (see `posebus.installed.plugins`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from ingest.sources import file, images, network, synthetic, usb
from ingest.sources.base import Source, SourceSpec
from ingest.sources.excerpt.source import is_part, open_part
from ingest.sources.masking.source import MaskedSource
from ingest.sources.turning.source import TurnedSource
from ingest.sources.wrapping.paced import PacedSource
from posebus.config.settings import CameraSettings
from posebus.errors import ConfigError, SourceRejected
from posebus.installed.plugins import load_plugins

PLUGIN_GROUP = "posebus.sources"
BUILT_IN: Mapping[str, SourceSpec] = MappingProxyType(
    {spec.kind: spec for spec in (synthetic.SPEC, usb.SPEC, network.SPEC, images.SPEC, file.SPEC)}
)
"""By kind; the first that recognises a source opens it, and a file is what nothing else recognises."""
MAX_PAUSE_S = 20.0
"""Played in real time, a longer pause in a recording is cut: the watchdog would take it for a camera that hangs."""

log = logging.getLogger("posebus.ingest")


@cache
def all_sources() -> Mapping[str, SourceSpec]:
    """Return every kind of source by name, those of other packages included. The list is made once for a process."""
    return load_plugins(PLUGIN_GROUP, BUILT_IN, SourceSpec)


def source_spec(settings: CameraSettings) -> SourceSpec:
    """Return the kind of source of these settings: the one that they name, or the first that recognises the source.

    Raises SourceRejected for a kind that does not exist, and ConfigError for one whose package cannot be loaded.
    """
    if settings.kind in BUILT_IN:
        return BUILT_IN[settings.kind]
    if settings.kind == "auto":
        return _recognised(settings.source)
    specs = all_sources()
    if settings.kind not in specs:
        raise SourceRejected(
            f"there is no kind of source {settings.kind!r}; known are auto, {', '.join(sorted(specs))}. Other kinds "
            "come with packages that have to be installed beside posebus"
        )
    return specs[settings.kind]


def source_kind(settings: CameraSettings) -> str:
    """Return the name of the kind of source; raises what `source_spec` raises."""
    return source_spec(settings).kind


def is_live(settings: CameraSettings) -> bool:
    """Return whether the freshest picture wins. Recordings are lossless unless played in real time or in a loop."""
    if settings.delivery != "auto":
        return settings.delivery == "live"
    return not source_spec(settings).recorded or settings.realtime or settings.loop


def open_source(settings: CameraSettings) -> Source:
    """Open the source that the settings name, turned and with its zones hidden; live recordings come at their own pace.

    Raises SourceUnavailable (worth another try later) or SourceRejected (never).
    """
    spec = source_spec(settings)
    live = is_live(settings)
    source = open_part(spec, settings, live=live) if is_part(settings) else spec.open(settings, live=live)
    if settings.rotate:
        source = TurnedSource(source, settings.rotate)
    if settings.privacy_zones:
        source = MaskedSource(source, settings.privacy_zones)
    if spec.recorded and (live or settings.realtime):
        return PacedSource(source, max_wait_s=MAX_PAUSE_S)
    return source


def check_source(settings: CameraSettings) -> str | None:
    """Find what makes the source unusable on this machine; see `ingest.sources.base.Check`."""
    return source_spec(settings).check(settings)


def _recognised(source: str) -> SourceSpec:
    """Ask the kinds of other packages first: the built-in ones recognise every address and every path."""
    for spec in _plugin_specs():
        try:
            if spec.recognises(source):
                return spec
        except Exception as error:  # noqa: BLE001 - a broken package must not stop cameras of other kinds
            log.error("sources of the kind %r fail to recognise a source: %s", spec.kind, error)
    return next(spec for spec in BUILT_IN.values() if spec.recognises(source))


@cache
def _plugin_specs() -> tuple[SourceSpec, ...]:
    """Load the kinds of other packages. One that cannot be loaded is logged, once, and left out."""
    specs = all_sources()
    loaded: list[SourceSpec] = []
    for kind in specs:
        if kind in BUILT_IN:
            continue
        try:
            loaded.append(specs[kind])
        except ConfigError as error:
            log.error("sources of the kind %r are not available: %s", kind, error)
    return tuple(loaded)
