"""The table of all sinks, and opening one by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from posebus.config.settings import Settings
from posebus.config.sinks import SinkSettings
from posebus.errors import ConfigError, PoseBusError
from posebus.installed.plugins import describe, load_plugins
from posebus.sinks import jsonl
from posebus.sinks.base import Sink, SinkSpec

SINKS_GROUP = "posebus.sinks"
BUILT_IN: Mapping[str, SinkSpec] = MappingProxyType({jsonl.SPEC.name: jsonl.SPEC})


@cache
def all_sinks() -> Mapping[str, SinkSpec]:
    """Return every sink by name, those of other packages included. The list is made once for a process."""
    return load_plugins(SINKS_GROUP, BUILT_IN, SinkSpec)


def sink_settings(settings: Settings, name: str) -> SinkSettings:
    """Return the settings of the entry `name`, or those of a sink of this name that has no entry.

    Raises ConfigError for a name that is neither.
    """
    if name in settings.sinks:
        return settings.sinks[name]
    known = {*settings.sinks, *all_sinks()}
    if name not in known:
        raise ConfigError(
            f"there is no sink {name!r}: known are {', '.join(sorted(known))}. Others come with packages that have to "
            "be installed beside posebus"
        )
    return SinkSettings()


def open_sink(name: str, settings: SinkSettings) -> Sink:
    """Open the sink of the entry `name`. Raises ConfigError, with the name of its package."""
    kind = settings.sink or name
    if kind not in all_sinks():
        known = ", ".join(sorted(all_sinks()))
        raise ConfigError(f"there is no sink {kind!r}, which sinks.{name} names: known are {known}")
    opened = _opened(all_sinks()[kind], settings)
    if not callable(getattr(opened, "write", None)):
        where = describe(SINKS_GROUP, kind)
        raise ConfigError(f"{where} opens an object without the method write: {type(opened).__name__}")
    return opened


def _opened(spec: SinkSpec, settings: SinkSettings) -> Sink:
    try:
        return spec.open(dict(settings.options))
    except PoseBusError:
        raise
    except Exception as error:
        where = describe(SINKS_GROUP, spec.name)
        raise ConfigError(f"{where} cannot be opened: {type(error).__name__}: {error}") from error
