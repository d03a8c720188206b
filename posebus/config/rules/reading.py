"""Reading the rules of a camera from settings: each by the model of its kind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    StringConstraints,
    Tag,
    TypeAdapter,
    ValidationError,
)

from posebus.config.rules import kinds
from posebus.config.rules.kinds import KINDS, PluginRule, RuleSettings
from posebus.errors import ConfigError
from posebus.installed.plugins import plugin_names
from posebus.wording import did_you_mean

RULES_GROUP = "posebus.rules"
RULE_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
MAX_RULES = 100
MAX_RULES_BYTES = 90_000
"""Of all rules of a camera as JSON: they are part of the camera's record in the broker, which is read often."""
TAG = "kind:"
"""Begins the parts of pydantic's error locations that name a kind of rule; they are no part of the file."""
_PLUGIN = "plugin"


def _kind_of(value: Any) -> str | None:
    """The tag of the model for a rule. An unknown kind has none, so that pydantic reports the rule itself."""
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    if not isinstance(kind, str):
        return f"{TAG}{kind}"
    if kind in KINDS:
        return TAG + kind
    return TAG + (_PLUGIN if kind in plugin_names(RULES_GROUP) else kind)


def _bounded(rules: dict[str, RuleSettings]) -> dict[str, RuleSettings]:
    if len(rules) > MAX_RULES:
        raise ValueError(f"must be at most {MAX_RULES} rules, not {len(rules)}")
    if len(json.dumps(rules_to_json(rules))) > MAX_RULES_BYTES:
        raise ValueError(f"must be at most {MAX_RULES_BYTES} bytes of rules as JSON: use polygons with fewer points")
    return rules


AnyRule = Annotated[
    Annotated[kinds.ZoneRule, Tag(f"{TAG}zone")]
    | Annotated[kinds.LineRule, Tag(f"{TAG}line")]
    | Annotated[kinds.LoiterRule, Tag(f"{TAG}loiter")]
    | Annotated[kinds.CrowdRule, Tag(f"{TAG}crowd")]
    | Annotated[kinds.ProximityRule, Tag(f"{TAG}proximity")]
    | Annotated[kinds.AbsenceRule, Tag(f"{TAG}absence")]
    | Annotated[kinds.FallRule, Tag(f"{TAG}fall")]
    | Annotated[kinds.HandsUpRule, Tag(f"{TAG}hands_up")]
    | Annotated[kinds.RunningRule, Tag(f"{TAG}running")]
    | Annotated[kinds.CrouchRule, Tag(f"{TAG}crouch")]
    | Annotated[kinds.ActionRule, Tag(f"{TAG}action")]
    | Annotated[PluginRule, Tag(f"{TAG}{_PLUGIN}")],
    Discriminator(_kind_of),
]


def _check_name(name: object) -> object:
    if not isinstance(name, str) or not re.match(RULE_NAME_PATTERN, name):
        raise ValueError(
            f"the rule name {str(name)[:70]!r} is not allowed: use 1 to 63 letters, digits, '.', '_' or '-', starting "
            "with a letter or digit"
        )
    return name


RuleName = Annotated[str, BeforeValidator(_check_name), StringConstraints(pattern=RULE_NAME_PATTERN)]
RulesField = Annotated[dict[RuleName, AnyRule], AfterValidator(_bounded)]


def rules_to_json(rules: Mapping[str, RuleSettings]) -> dict[str, dict[str, Any]]:
    """Return the rules as JSON values, by name; fields that have their defaults are left out."""
    return {name: rule.model_dump(mode="json", exclude_defaults=True) for name, rule in rules.items()}


def read_rules(values: Mapping[str, Any]) -> Mapping[str, RuleSettings]:
    """Return the rules in plain values, by name. Raises ConfigError with a sentence for each that is wrong."""
    if not isinstance(values, Mapping):
        raise ConfigError("rules must be given by their names, such as {gate: {kind: line, points: [[0, 0], [9, 9]]}}")
    try:
        return TypeAdapter(RulesField).validate_python(dict(values))
    except ValidationError as error:
        raise ConfigError("; ".join(_sentences(error))) from None


def kinds_in_words() -> str:
    """The kinds of rules that exist here, those of other packages included."""
    return ", ".join([*KINDS, *sorted(plugin_names(RULES_GROUP) - KINDS.keys())])


def wrong_kind(given: object) -> str:
    """What is wrong with the rule `given`, whose kind does not exist."""
    kind = given.get("kind") if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping):
        return f"must be a rule with its kind, such as {{kind: zone, points: [...]}}; kinds are {kinds_in_words()}"
    if kind is None:
        return f"has no kind; kinds are {kinds_in_words()}"
    hint = did_you_mean(str(kind)[:40], KINDS)
    known = f"{hint} The kinds are {kinds_in_words()}" if hint else f"kinds are {kinds_in_words()}"
    return f"is of the kind {str(kind)[:40]!r}, which does not exist; {known}"


def without_tags(location: Iterable[int | str]) -> tuple[int | str, ...]:
    """The location of an error without the parts that pydantic adds for kinds of rules."""
    return tuple(part for part in location if not str(part).startswith(TAG))


def fields_of_kind(location: Iterable[int | str]) -> tuple[str, ...]:
    """The fields of the kind of rule in which an error is, by pydantic's location of it; none for other errors."""
    tags = [str(part).removeprefix(TAG) for part in location if str(part).startswith(TAG)]
    return tuple(KINDS[tags[0]].model_fields) if tags and tags[0] in KINDS else ()


def _sentences(error: ValidationError) -> Iterable[str]:
    for one in error.errors(include_url=False):
        name, *fields = [str(part) for part in without_tags(one["loc"]) if part != "[key]"] or ["rules"]
        where = f"rule {name}: {'.'.join(fields)}: " if fields else f"rule {name}: "
        if one["type"] == "union_tag_invalid":
            yield where.removesuffix(": ") + " " + wrong_kind(one["input"])
        elif one["type"] == "missing":
            yield f"{where}is required and missing"
        elif one["type"] == "extra_forbidden":
            hint = did_you_mean(fields[-1], fields_of_kind(one["loc"]))
            yield f"{where}there is no such field" + (f"; {hint}" if hint else "")
        else:
            yield where + one["msg"].removeprefix("Value error, ")
