"""What the text of a YAML file says, apart from how it is written: to check that an edit changed one field alone. Pure.

YAML can be written in many ways, of which an edit of the text knows the usual ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from posebus.config.editing.yaml_parts import YamlPart
from posebus.config.problems import FieldPath

Meaning = Any
"""("scalar", text), ("alias", anchor), ("list", items) or ("mapping", [(key, value), …]), of meanings."""

EMPTY: Meaning = ("mapping", [])


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands for what a path does not lead to."""


UNKNOWN = Unknown()


def meaning(part: YamlPart | None) -> Meaning:
    """What `part` says; None, a file without a value, says the same as an empty mapping."""
    if part is None:
        return EMPTY
    if part.kind == "mapping":
        return "mapping", [(meaning(key), meaning(value)) for key, value in part.entries]
    if part.kind == "list":
        return "list", [meaning(item) for item in part.items]
    return part.kind, part.name


def with_value(before: Meaning, path: FieldPath, value: Meaning) -> Meaning:
    """`before` with another value, or a new one, at `path`; UNKNOWN where `path` leads through something else."""
    if not path:
        return value
    kind, entries = before
    if kind == "scalar" and entries in {"", "~", "null", "Null", "NULL"}:
        kind, entries = EMPTY
    if kind != "mapping":
        return UNKNOWN
    key = ("scalar", path[0])
    found = [index for index, entry in enumerate(entries) if entry[0] == key]
    if not found:
        return kind, [*entries, (key, with_value(EMPTY, path[1:], value))]
    changed = with_value(entries[found[0]][1], path[1:], value)
    return kind, [*entries[: found[0]], (key, changed), *entries[found[0] + 1 :]]


def without(before: Meaning, path: FieldPath) -> Meaning:
    """`before` without the entry at `path`, if there is one."""
    kind, entries = before
    if kind != "mapping":
        return before
    key = ("scalar", path[0])
    if len(path) == 1:
        return kind, [entry for entry in entries if entry[0] != key]
    return kind, [(name, without(value, path[1:]) if name == key else value) for name, value in entries]
