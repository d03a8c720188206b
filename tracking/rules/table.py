"""The table of all kinds of rules: those of posebus, and those that other packages add."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from posebus.config.rules.reading import RULES_GROUP
from posebus.installed.plugins import load_plugins
from tracking.rules.areas import AREA_RULES
from tracking.rules.base import RuleSpec
from tracking.rules.bodies.table import BODY_RULES

BUILT_IN: Mapping[str, RuleSpec] = MappingProxyType({spec.kind: spec for spec in (*AREA_RULES, *BODY_RULES)})


@cache
def all_rules() -> Mapping[str, RuleSpec]:
    """Return every kind of rule by name. Those of other packages are imported when they are first used."""
    return load_plugins(RULES_GROUP, BUILT_IN, RuleSpec)
