"""The table of all sinks and rules, and opening one by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from posebus.config.settings import Settings
from posebus.config.sinks import SinkKind, SinkSettings
from posebus.errors import ConfigError, PoseBusError
from posebus.plugins import describe, load_plugins
from posebus.sinks.base import Rule, RuleSpec, Sender, Sink, SinkContext, SinkSpec
from posebus.sinks.jsonl import sink as jsonl
from posebus.sinks.mqtt import spec as mqtt
from posebus.sinks.rules import RuleSink
from posebus.sinks.webhook import spec as webhook

SINKS_GROUP = "posebus.sinks"
RULES_GROUP = "posebus.rules"
BUILT_IN: Mapping[str, SinkSpec] = MappingProxyType({spec.name: spec for spec in (jsonl.SPEC, webhook.SPEC, mqtt.SPEC)})


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


def kinds_of(name: str, settings: SinkSettings) -> tuple[SinkKind, ...]:
    """The kinds of messages that a sink gets. Raises ConfigError for those that it cannot take."""
    kind = settings.sink or name
    possible: tuple[SinkKind, ...] = all_sinks()[kind].kinds if kind in all_sinks() else ("tracks", "events", "poses")
    if settings.kinds is None:
        return tuple(one for one in possible if one != "poses")
    wrong = [one for one in settings.kinds if one not in possible]
    if wrong:
        raise ConfigError(
            f"sinks.{name}.kinds: the sink {kind} takes {' and '.join(possible)} alone, and not {' or '.join(wrong)}"
        )
    return tuple(settings.kinds)


def open_sink(name: str, settings: SinkSettings, context: SinkContext) -> Sink | Sender:
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
    opened = _opened(spec, settings, context, group)
    methods = ("write", "send") if group == SINKS_GROUP else ("events",)
    if not any(callable(getattr(opened, method, None)) for method in methods):
        raise ConfigError(
            f"{describe(group, kind)} opens an object without the method {' or '.join(methods)}: "
            f"{type(opened).__name__}"
        )
    if group == SINKS_GROUP:
        sink: Sink | Sender = opened
        return sink
    rule: Rule = opened
    return RuleSink(name, rule, context.broker, context.settings.retention)


def _opened(spec: SinkSpec | RuleSpec, settings: SinkSettings, context: SinkContext, group: str) -> Any:
    try:
        if isinstance(spec, SinkSpec) and spec.open_in is not None:
            return spec.open_in(dict(settings.options), context)
        return spec.open(dict(settings.options))
    except PoseBusError:
        raise
    except ImportError:
        raise  # a package of an extra, which is named where the process ends
    except Exception as error:
        where = describe(group, spec.name)
        raise ConfigError(f"{where} cannot be opened: {type(error).__name__}: {error}") from error
