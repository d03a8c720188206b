"""Problems in a configuration, in words: where the value was given, what is wrong, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from posebus.config.redaction import redact_text
from posebus.config.rules.reading import fields_of_kind, wrong_kind
from posebus.config.settings import SettingsFile
from posebus.wording import did_you_mean

FieldPath = tuple[str, ...]
"""Names from the root of the settings to a field: ("cameras", "hall", "max_fps")."""

_SECTION_ERRORS = {"model_type", "dict_type"}


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """Where a value was written: a position in a file, an environment variable, or an option of the command."""

    where: str
    field: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        if self.line is None:
            return ": ".join(part for part in (self.where, self.field) if part)
        position = f"{self.where}:{self.line}:{self.column}"
        return f"{position}: {self.field}" if self.field else position


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `suggestion` is what to write instead, or empty."""

    location: SourceLocation
    problem: str
    suggestion: str = ""

    def __str__(self) -> str:
        text = f"{self.location}: {self.problem}"
        return redact_text(f"{text}; {self.suggestion}" if self.suggestion else text)

    def as_dict(self) -> dict[str, object]:
        """The problem as plain data, for `--json`."""
        return {
            "where": self.location.where,
            "line": self.location.line,
            "column": self.location.column,
            "field": redact_text(self.location.field),
            "problem": redact_text(self.problem),
            "suggestion": redact_text(self.suggestion) or None,
        }


def section_at(path: FieldPath) -> type[BaseModel] | None:
    """The settings class whose fields are under `path`, or None where `path` is a plain value or does not exist."""
    section: type[BaseModel] = SettingsFile
    names = iter(path)
    for name in names:
        field = section.model_fields.get(name)
        if field is None:
            return None
        annotation: Any = field.annotation
        if get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
            if next(names, None) is None:
                return None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        section = annotation
    return section


def problem_from_error(error: Mapping[str, Any], path: FieldPath, location: SourceLocation) -> Problem:
    """The problem for one entry of pydantic's `ValidationError.errors()`, about `path` given at `location`."""
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden" and path == ("defaults", "source"):
        return Problem(location, "belongs to one camera", "write it under that camera")
    if kind == "extra_forbidden":
        return unknown_field(path, location, fields_of_kind(error.get("loc", ())))
    if kind == "union_tag_invalid":
        return Problem(location, wrong_kind(given))
    if kind == "missing":
        return Problem(location, "is required and missing", f"add '{path[-1]}: …'")
    if kind in _SECTION_ERRORS:
        return _wrong_section(path, location)
    problem = _plain(error["msg"])
    if kind == "literal_error" and isinstance(given, str):
        choices = re.findall(r"'([^']+)'", error["msg"])
        return Problem(location, problem + _shown(given), did_you_mean(given, choices))
    if kind == "string_type" and path[-1:] == ("source",) and isinstance(given, int) and 0 <= given < 1000:
        return Problem(location, problem, f"for a USB camera write 'usb:{int(given)}'")
    if kind == "string_type":
        return Problem(location, problem, "put the value in quotes")
    return Problem(location, problem + ("" if kind == "value_error" else _shown(given)))


def unknown_field(path: FieldPath, location: SourceLocation, fields: Iterable[str] = ()) -> Problem:
    """The problem of a field that does not exist. Suggests a similar name, or the section that has such a field.

    fields: those that exist there, where the path alone does not say it.
    """
    name, section = path[-1], section_at(path[:-1])
    suggestion = did_you_mean(name, section.model_fields if section else fields)
    if not suggestion:
        homes = [home for home in ("worker", "tracker", "retention", "fleet") if _has_field(home, name)]
        suggestion = f"it belongs under '{homes[0]}'" if homes else ""
    return Problem(location, "there is no such field", suggestion)


def _has_field(home: str, name: str) -> bool:
    section = section_at((home,))
    return section is not None and name in section.model_fields


def _wrong_section(path: FieldPath, location: SourceLocation) -> Problem:
    if path == ("cameras",):
        return Problem(location, "must hold cameras by name", "write 'NAME:' and below it, indented, 'source: …'")
    if path == ("sinks",):
        return Problem(location, "must hold sinks by name", "write 'NAME:' and below it, indented, 'sink: webhook'")
    if path in {("wall", "people"), ("wall", "tokens")}:
        maker = "'posebus wall --make-password'" if path[1] == "people" else "'posebus wall --make-token'"
        example = f"write 'NAME:' and below it, indented, its role and what {maker} prints"
        return Problem(location, f"must hold {path[1]} by name", example)
    if path[:1] == ("cameras",) and path[2:] == ("rules",):
        example = "write 'gate: {kind: line, points: [[100, 300], [500, 300]]}' on an indented line below it"
        return Problem(location, "must hold rules by name", example)
    if path[:1] == ("cameras",):
        return Problem(location, "must hold the fields of a camera", "write 'source: …' on an indented line below it")
    if not path:
        return Problem(location, "must hold fields like 'cameras:' and 'worker:'")
    section = section_at(path)
    example = next(iter(section.model_fields)) if section else "field"
    return Problem(location, "must hold fields", f"write '{example}: …' on an indented line below it")


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("Input should be", "must be")
    message = message.replace("Input is not a valid path for <class 'pathlib.Path'>", "must be a path")
    message = message.replace("greater than or equal to", "at least").replace("less than or equal to", "at most")
    message = message.replace("a valid integer", "a whole number").replace("a valid number", "a number")
    message = message.replace("a valid boolean", "true or false").replace("a valid string", "text")
    for excuse in ("unable to parse string", "got a number with a fractional part", "unable to interpret input"):
        message = message.split(f", {excuse}")[0]
    return redact_text(message)


def _shown(given: object) -> str:
    """`given` for the end of a sentence; empty for long values and addresses, which may contain a password."""
    if not isinstance(given, (str, int, float)) or len(str(given)) > 40 or re.search(r"[@/:]", str(given)):
        return ""
    return f", not {given!r}"
