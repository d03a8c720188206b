"""`FIELD=VALUE` and `FIELD-` on the command line, as edits of a configuration. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from posebus.config.editing.yaml_edits import REMOVED
from posebus.config.problems import FieldPath, section_at
from posebus.config.redaction import harmless
from posebus.errors import ConfigError
from posebus_cli.options.yaml_values import yaml_value

_WORDS = frozenset({"off", "on", "no", "yes"})


def assignments(words: Iterable[str], section: FieldPath, *, may_remove: bool) -> dict[str, object]:
    """The new value of each field of `section` that `words` name; REMOVED for `FIELD-`. Raises ConfigError."""
    found: dict[str, object] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if sign and name:
            value = value_of(text, (*section, name))
        elif may_remove and not sign and len(name) > 1 and name.endswith("-"):
            name, value = name[:-1], REMOVED
        else:
            ways = "write FIELD=VALUE, or FIELD- to go back to the default" if may_remove else "write FIELD=VALUE"
            raise ConfigError(f"{harmless(word, 60)!r} says nothing: {ways}")
        if name in found:
            raise ConfigError(f"{harmless(name, 60)} is given twice")
        found[name] = value
    return found


def value_of(text: str, path: FieldPath) -> object:
    """What `text` means for the field at `path`: text where the field takes text, else a number, word or list."""
    section = section_at(path[:-1])
    field = section.model_fields.get(path[-1]) if section is not None else None
    takes_text = field is not None and _takes_text(field.annotation)
    if takes_text and not text.startswith("["):
        return None if text == "null" and type(None) in get_args(field.annotation if field else None) else text
    return _plain_value(text)


def _plain_value(text: str) -> object:
    """`text` as a value of YAML, within what settings hold; text that is no such value stays as it is."""
    if text.lower() in _WORDS:
        return text.lower()
    value = yaml_value(text)
    return value if isinstance(value, bool | int | float | list | str | None) else text


def _takes_text(annotation: Any) -> bool:
    return annotation is str or any(_takes_text(one) for one in get_args(annotation) if one is not annotation)
