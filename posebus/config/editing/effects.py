"""What an edit of the file does not change, because something else has the last word, and what it changes besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from posebus.config.editing.yaml_edits import REMOVED, Edit
from posebus.config.environment import PREFIX
from posebus.config.loading import Checked
from posebus.config.problems import FieldPath, section_at
from posebus.config.redaction import harmless, redact_url
from posebus.config.settings import Settings

MISSING = object()
LONGEST_VALUE = 60


def effects(edits: Sequence[Edit], before: Checked, after: Checked, file_alone: Settings | None) -> tuple[str, ...]:
    """Sentences about fields that are not as the edits say, and about other fields that changed with them.

    before, after: the settings with the environment; file_alone: those after the edits without it, None where they need
    it.
    """
    if after.settings is None:
        return ()
    return (*_without_effect(edits, after, file_alone), *_besides(edits, before.settings, after.settings))


def _without_effect(edits: Sequence[Edit], after: Checked, file_alone: Settings | None) -> Iterator[str]:
    for edit in edits:
        for path, wanted in fields_of(edit):
            now = value_at(after.settings, path)
            source = after.locate(path)
            field = ".".join(path)
            if source.line is None and source.field.startswith(PREFIX):
                if file_alone is None or now != value_at(file_alone, path):
                    yield f"{field} stays {shown(path, now)}: {source.field} in the environment overrides the file"
            elif wanted is REMOVED and now is not MISSING and now != _default(path):
                where = f"line {source.line} of the file" if source.line is not None else "elsewhere in the file"
                yield f"{field} is {shown(path, now)} now, which comes from {where}"


def _besides(edits: Sequence[Edit], before: Settings | None, after: Settings) -> Iterator[str]:
    if before is None:
        return
    old, new = (settings.model_dump(mode="json") for settings in (before, after))
    for path in _differing(old, new, ()):
        if not any(path[: len(edit.path)] == edit.path for edit in edits):
            yield f"{'.'.join(path)} changes as well: it shares its value with another part of the file"


def fields_of(edit: Edit) -> Iterator[tuple[FieldPath, object]]:
    """Each field that an edit sets, with its value: several where it sets a whole camera."""
    if isinstance(edit.value, Mapping) and section_at(edit.path) is not None:
        for name, value in edit.value.items():
            yield (*edit.path, str(name)), value
    else:
        yield edit.path, edit.value


def value_at(settings: Settings | None, path: FieldPath) -> Any:
    """The value of a field; MISSING where there is none of it, such as of a camera that does not exist."""
    value: Any = settings
    for name in path:
        if isinstance(value, Mapping):
            value = value.get(name, MISSING)
        elif isinstance(value, BaseModel):
            value = getattr(value, name, MISSING)
        else:
            return MISSING
    return value


def shown(path: FieldPath, value: object) -> str:
    """A value in a sentence, without credentials."""
    if isinstance(value, str):
        return harmless(redact_url(value), LONGEST_VALUE)
    if isinstance(value, BaseModel) or value is MISSING:
        return "as it was"
    return harmless(f"{value:g}" if isinstance(value, float) else str(value), LONGEST_VALUE)


def _default(path: FieldPath) -> object:
    section = section_at(path[:-1])
    if section is None or path[-1] not in section.model_fields:
        return MISSING
    field = section.model_fields[path[-1]]
    return MISSING if field.is_required() else field.get_default(call_default_factory=True)


def _differing(old: Any, new: Any, path: FieldPath) -> Iterator[FieldPath]:
    """The fields that are in both and have other values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old:
            if name in new:
                yield from _differing(old[name], new[name], (*path, name))
    elif old != new:
        yield path
