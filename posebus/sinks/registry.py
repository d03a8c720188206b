"""The table of all sinks and rules, and opening one by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.config.settings import Settings
from posebus.config.sinks import SinkSettings
from posebus.errors import ConfigError, PoseBusError
from posebus.plugins import describe, load_plugins
from posebus.sinks import jsonl
from posebus.sinks.base import Rule, RuleSpec, Sink, SinkSpec
from posebus.sinks.rules import RuleSink

SINKS_GROUP = "posebus.sinks"
RULES_GROUP = "posebus.rules"
BUILT_IN: Mapping[str, SinkSpec] = MappingProxyType({jsonl.SPEC.name: jsonl.SPEC})


@cache
def all_sinks() -> Mapping[str, SinkSpec]:
    """Return every sink by name, those of other packages included. The list is made once for a process."""
    return load_plugins(SINKS_GROUP, BUILT_IN, SinkSpec)


@cache
def all_rules() -> Mapping[str, RuleSpec]:
    """Return every rule by name; all of them come with other packages."""
    none: Mapping[str, RuleSpec] = {}
    return load_plugins(RULES_GROUP, none, RuleSpec)


def sink_settings(settings: Settings, name: str) -> SinkSettings:
    """Return the settings of the entry `name`, or those of a sink or rule of this name that has no entry.

    Raises ConfigError for a name that is neither.
    """
    if name in settings.sinks:
        return settings.sinks[name]
    known = {*settings.sinks, *all_sinks(), *all_rules()}
    if name not in known:
        raise ConfigError(
            f"there is no sink {name!r}: known are {', '.join(sorted(known))}. Others come with packages that have to "
            "be installed beside posebus"
        )
    return SinkSettings()


def open_sink(name: str, settings: SinkSettings, broker: Broker, deployment: Settings) -> Sink:
    """Open the sink, or the rule, of the entry `name`. Raises ConfigError, with the name of its package."""
    kind = settings.sink or name
    spec: SinkSpec | RuleSpec
    if kind in all_sinks():
        group, spec = SINKS_GROUP, all_sinks()[kind]
    elif kind in all_rules():
        group, spec = RULES_GROUP, all_rules()[kind]
    else:
        known = ", ".join(sorted({*all_sinks(), *all_rules()}))
        raise ConfigError(f"there is no sink {kind!r}, which sinks.{name} names: known are {known}")
    opened = _opened(spec, settings, group)
    method = "write" if group == SINKS_GROUP else "events"
    if not callable(getattr(opened, method, None)):
        raise ConfigError(
            f"{describe(group, kind)} opens an object without the method {method}: {type(opened).__name__}"
        )
    if group == SINKS_GROUP:
        sink: Sink = opened
        return sink
    rule: Rule = opened
    return RuleSink(name, rule, broker, deployment.retention)


def _opened(spec: SinkSpec | RuleSpec, settings: SinkSettings, group: str) -> Any:
    try:
        return spec.open(dict(settings.options))
    except PoseBusError:
        raise
    except Exception as error:
        where = describe(group, spec.name)
        raise ConfigError(f"{where} cannot be opened: {type(error).__name__}: {error}") from error
