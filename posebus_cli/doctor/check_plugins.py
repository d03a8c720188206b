"""The check of plug-ins: sources, engines, sinks and rules that other packages add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from posebus.errors import ConfigError
from posebus.installed.extras import has_rules, has_sources
from posebus.installed.plugins import GROUPS, clashes, describe
from posebus_cli.doctor.findings import BROKEN, FINE, NOTE, Finding

SOURCES, RULES = "posebus.sources", "posebus.rules"
"""The groups whose stages cannot be imported without their extras."""


def plugins() -> Iterator[Finding]:
    """Load each plug-in: those that work, those that are left out because their name is taken, and broken ones."""
    for group in GROUPS:
        if not metadata.entry_points(group=group):
            continue
        if (group == SOURCES and not has_sources()) or (group == RULES and not has_rules()):
            yield Finding(group, NOTE, "the stage that uses these plug-ins is not installed here")
            continue
        built_in, found = _tables(group)
        for clash in clashes(group, built_in):
            yield Finding(group, BROKEN, clash, "rename the plug-in, or uninstall its package")
        for name in found:
            if name in built_in:
                continue
            try:
                found[name]
            except ConfigError as error:
                yield Finding(group, BROKEN, str(error), "see the documentation of that package, or uninstall it")
            else:
                yield Finding(group, FINE, describe(group, name))


def _tables(group: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the built-in specs of a group, and all of them."""
    if group == SOURCES:
        from ingest.sources import registry

        return registry.BUILT_IN, registry.all_sources()
    if group == "posebus.engines":
        from workers.engine_loading import known_engines
        from workers.engines.built_in import BUILT_IN

        return BUILT_IN, known_engines()
    if group == RULES:
        from tracking.rules import table

        return table.BUILT_IN, table.all_rules()
    from posebus.sinks.registry import BUILT_IN as SINKS
    from posebus.sinks.registry import all_sinks

    return SINKS, all_sinks()
