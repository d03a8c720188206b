"""Where each value stands in the text of a YAML file, from the events of PyYAML's parser. Pure.

An edit replaces nothing but what it is about: libraries that load a file and write it again also realign comments, fold
lines and change spaces in lists, and they lose comments before what is removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from posebus.errors import ConfigError

MAX_DEPTH = 20
_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)*(?:[&!][^\s,\]}]+(?=\s|$))?")
"""Anchor and tag before a value."""
_COLON = re.compile(r"\s*:(?=\s|$|[,}\]\"'\[{])")


@dataclass(slots=True)
class YamlPart:
    """A value in the text, from index `begin` (after its anchor) to `end`; a block ends with its last value.

    kind: "scalar", "mapping", "list" or "alias". name: the text of a scalar, the anchor that an alias names. is_flow:
    whether a mapping or list stands in brackets. entries: (key, value) of a mapping in order; items: those of a list.
    """

    kind: str
    begin: int
    end: int
    name: str = ""
    anchor: str | None = None
    is_flow: bool = False
    entries: list[tuple[YamlPart, YamlPart]] = field(default_factory=list)
    items: list[YamlPart] = field(default_factory=list)

    def find(self, name: str) -> tuple[YamlPart, YamlPart] | None:
        """The entry of this mapping whose key is `name`; merged entries are not its own."""
        return next((entry for entry in self.entries if entry[0].kind == "scalar" and entry[0].name == name), None)

    @property
    def is_empty(self) -> bool:
        """Whether this is null or a mapping without entries."""
        if self.kind == "scalar":
            return self.name in {"", "~", "null", "Null", "NULL"} and self.end - self.begin == len(self.name)
        return self.kind == "mapping" and not self.entries

    @property
    def end_of_entries(self) -> int:
        """Where the last entry of this mapping ends, before a closing bracket."""
        return max(max(key.end, value.end) for key, value in self.entries)

    def walk(self) -> Iterator[YamlPart]:
        """This part and all parts in it."""
        yield self
        for one in (*(part for entry in self.entries for part in entry), *self.items):
            yield from one.walk()


def parse(text: str) -> YamlPart | None:
    """The parts of a YAML text; None for a text without a value. Raises ConfigError with where it is no valid YAML."""
    import yaml

    try:
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f" in line {mark.line + 1}"
        raise ConfigError(f"it is not valid YAML{where}: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"it is not valid YAML: {str(error).splitlines()[0] if str(error) else 'too deep'}") from None
    documents = [event for event in events if isinstance(event, yaml.DocumentStartEvent)]
    if not documents:
        return None
    if len(documents) > 1:
        raise ConfigError("it holds more than one document: keep one, without '---' in between")
    rest = iter(events[2:])
    root = _part(next(rest), rest, text, 0)
    return None if root.kind == "scalar" and root.is_empty else root


def end_of_colon(text: str, key: YamlPart) -> int:
    """The index after the colon that follows `key`. Raises ConfigError where it is written in another form."""
    found = _COLON.match(text, key.end)
    if found is None:
        raise ConfigError(f"the field {key.name!r} is written in a form that cannot be changed: edit it by hand")
    return found.end()


def _part(event: Any, rest: Iterator[Any], text: str, depth: int) -> YamlPart:
    import yaml

    if depth > MAX_DEPTH:
        raise ConfigError("it is nested too deeply")
    begin, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return YamlPart("alias", begin, end, name=str(event.anchor))
    begin = _content(text, begin, end) if event.anchor is not None or event.tag is not None else begin
    if isinstance(event, yaml.ScalarEvent):
        end = begin + len(text[begin:end].rstrip())
        return YamlPart("scalar", begin, end, name=event.value, anchor=event.anchor)
    is_mapping = isinstance(event, yaml.MappingStartEvent)
    part = YamlPart(
        "mapping" if is_mapping else "list", begin, end, anchor=event.anchor, is_flow=bool(event.flow_style)
    )
    inner = next(rest)
    while type(inner) is not (yaml.MappingEndEvent if is_mapping else yaml.SequenceEndEvent):
        one = _part(inner, rest, text, depth + 1)
        if is_mapping:
            part.entries.append((one, _part(next(rest), rest, text, depth + 1)))
        else:
            part.items.append(one)
        inner = next(rest)
    mark: Any = inner.end_mark
    _fit(part, mark.index)
    return part


def _fit(part: YamlPart, end_of_event: int) -> None:
    """Set the end of a collection whose contents are known, and the begin of a block behind its anchor."""
    if part.is_flow:
        part.end = end_of_event
        return
    inside = [one for entry in part.entries for one in entry] + part.items
    if inside:
        part.end = max(one.end for one in inside)
        if part.entries:
            part.begin = part.entries[0][0].begin


def _content(text: str, begin: int, end: int) -> int:
    """Where the value itself begins that has an anchor or a tag at `begin`."""
    found = _PROPERTIES.match(text, begin)
    after = begin if found is None else found.end()
    return min(after + len(text[after:]) - len(text[after:].lstrip(" \t")), end) if after < end else end
