"""The table of all sinks, and opening one by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from posebus.config.settings import Settings
from posebus.config.sinks import SinkKind, SinkSettings
from posebus.errors import ConfigError, PoseBusError
from posebus.installed.plugins import describe, load_plugins
from posebus.sinks.base import Sender, Sink, SinkContext, SinkSpec
from posebus.sinks.jsonl import sink as jsonl
from posebus.sinks.mqtt import spec as mqtt
from posebus.sinks.webhook import spec as webhook
from posebus.wording import did_you_mean

SINKS_GROUP = "posebus.sinks"
BUILT_IN: Mapping[str, SinkSpec] = MappingProxyType({spec.name: spec for spec in (jsonl.SPEC, webhook.SPEC, mqtt.SPEC)})


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


def kinds_of(name: str, settings: SinkSettings) -> tuple[SinkKind, ...]:
    """The kinds of messages that a sink gets. Raises ConfigError for those that it cannot take."""
    spec = spec_of(name, settings)
    if settings.kinds is None:
        return tuple(one for one in spec.kinds if one != "poses")
    wrong = [one for one in settings.kinds if one not in spec.kinds]
    if wrong:
        raise ConfigError(
            f"sinks.{name}.kinds: the sink {spec.name} takes {' and '.join(spec.kinds)} alone, and not "
            f"{' or '.join(wrong)}"
        )
    return tuple(settings.kinds)


def open_sink(name: str, settings: SinkSettings, context: SinkContext) -> Sink | Sender:
    """Open the sink of the entry `name`. Raises ConfigError, with the name of its package."""
    spec = spec_of(name, settings)
    opened = _opened(spec, settings, context)
    if not any(callable(getattr(opened, method, None)) for method in ("write", "send")):
        where = describe(SINKS_GROUP, spec.name)
        raise ConfigError(f"{where} opens an object without the method write or send: {type(opened).__name__}")
    return opened


def spec_of(name: str, settings: SinkSettings) -> SinkSpec:
    """Return the kind of the entry `name`. Raises ConfigError for one that does not exist."""
    kind = settings.sink or name
    if kind not in all_sinks():
        known = ", ".join(sorted(all_sinks()))
        hint = did_you_mean(kind, all_sinks())
        known = f"{hint} Known are {known}" if hint else f"known are {known}"
        raise ConfigError(f"there is no sink {kind!r}, which sinks.{name} names: {known}")
    return all_sinks()[kind]


def _opened(spec: SinkSpec, settings: SinkSettings, context: SinkContext) -> Sink | Sender:
    try:
        if spec.open_in is not None:
            return spec.open_in(dict(settings.options), context)
        return spec.open(dict(settings.options))
    except (PoseBusError, ImportError):
        raise  # of the latter, the package of an extra is named where the process ends
    except Exception as error:
        where = describe(SINKS_GROUP, spec.name)
        raise ConfigError(f"{where} cannot be opened: {type(error).__name__}: {error}") from error
