"""Writes docs/reference.md from the code: `make reference`. A test fails when the file is out of date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posebus.contract.events import TABLE
from posebus.json_schemas import config_schema

PATH = Path(__file__).parent / "reference.md"
UNITS = {
    "_px_per_s": "pixels a second",
    "_after_s": "s",
    "_s": "s",
    "_ms": "ms",
    "_ns": "ns",
    "_px": "pixels",
    "_bytes": "bytes",
    "_entries": "entries",
    "_fps": "frames a second",
    "imgsz": "pixels",
    "imgsz_max": "pixels",
}
"""Units by the ends of names."""
LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
HEAD = """# Reference

All settings, events and commands, made from the code of this release by `make reference`.
[deployment.md](deployment.md#metrics) lists the metrics, [ARCHITECTURE.md](../ARCHITECTURE.md#keys) the keys in the
broker.

- [Settings](#settings)
- [Events](#events)
- [Commands](#commands)
"""
SETTINGS = """## Settings

In `posebus.yaml`, or as variables of the environment, which have precedence: `worker.imgsz` is `POSEBUS_WORKER__IMGSZ`,
`cameras.door.source` is `POSEBUS_CAMERAS__DOOR__SOURCE`. Options of a command have precedence over both.
[posebus/schemas/config.json](../posebus/schemas/config.json) is the same as a JSON Schema, for editors.
"""
EVENTS = """## Events

Entries of the stream `events`, each a CloudEvent 1.0 in JSON ([schema](../posebus/schemas/event.json)), of at most
2048 bytes. The attribute `sequence` is text that sorts the events of a camera in the order of its frames, `time` is the
capture time, `recordedtime` the time of publication, and `dataref`, where it is present, the URI of the evidence. The
`data` of every event has `camera`, `epoch`, `seq` (the frame that it is about), `time_ns` (its capture time),
`detected_at_ns` and `published_at_ns` (Unix ns; not in the files of `posebus run`) and `schema_version`. The table
lists the other fields.
"""
COMMANDS = """## Commands

`posebus COMMAND --help` says the same.
"""


def render() -> str:
    """The text of docs/reference.md."""
    return "\n".join([HEAD, SETTINGS, *_settings(), EVENTS, *_events(), COMMANDS, *_commands()]).rstrip() + "\n"


def _settings() -> Iterator[str]:
    schema = config_schema()
    sections = {"": schema, **dict(_inner_sections("", schema["properties"], schema))}
    for section, held in sections.items():
        yield f"### {section or 'At the top level'}\n"
        rows = []
        for name, field in held["properties"].items():
            if _section(field, schema) is not None:
                continue
            default = "required" if name in held.get("required", ()) else _default(field)
            limits = "; ".join(_limits(field)) or "-"
            rows.append((f"`{name}`", limits, _unit(name, field), default, field.get("description", "")))
        yield _table(("setting", "values", "unit", "default", "meaning"), rows)


def _inner_sections(above: str, fields: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sections below a section, each before those below itself; `above` ends with a dot, or is empty."""
    for name, field in fields.items():
        inner = _section(field, schema)
        if inner is not None:
            path = f"{above}{name}" if "$ref" in field else f"{above}{name}.NAME"
            yield path, inner
            if path != "cameras.NAME":
                yield from _inner_sections(f"{path}.", inner["properties"], schema)


def _section(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of a section of settings, None for a single setting."""
    named = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
    inner = field if "$ref" in field else next((one for one in named if one), None)
    if not isinstance(inner, dict):
        return None
    found: dict[str, Any] | None = schema["$defs"].get(inner.get("$ref", "").rpartition("/")[2])
    return found


def _limits(field: dict[str, Any]) -> Iterator[str]:
    """The kinds of values that a field takes, with their limits."""
    for kind in field.get("anyOf", [field]):
        if "enum" in kind or "const" in kind:
            yield ", ".join(_code(value) for value in kind.get("enum", [kind.get("const")]))
        elif kind.get("type") == "null":
            yield "`null`"
        elif "$ref" in kind:
            yield "a mapping"
        elif kind.get("type") == "array":
            yield "a list"
        elif kind.get("type") in {"integer", "number"}:
            yield _number(kind)
        else:
            yield {"boolean": "`true`, `false`", "string": "text", "object": "a mapping"}.get(kind.get("type"), "any")


def _number(kind: dict[str, Any]) -> str:
    words = ["a whole number" if kind["type"] == "integer" else "a number"]
    for key, word in LIMITS.items():
        if key in kind:
            words.append(f"{word} {kind[key]:g}" if kind[key] < 10_000 else f"{word} {kind[key]:,}")
    if "multipleOf" in kind:
        words.append(f"(a multiple of {kind['multipleOf']})")
    return " ".join(words)


def _unit(name: str, field: dict[str, Any]) -> str:
    is_number = any(kind.get("type") in {"integer", "number"} for kind in field.get("anyOf", [field]))
    found = (unit for end, unit in UNITS.items() if name.endswith(end))
    return next(found, "-") if is_number else "-"


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    return "none" if value == {} or "default" not in field else _code(value)


def _code(value: object) -> str:
    words = {None: "null", True: "true", False: "false"}
    known = value is None or isinstance(value, bool)
    text = words[value] if known else f"{value:g}" if isinstance(value, float) else str(value)  # type: ignore[index]
    return f"`{text}`"


def _events() -> Iterator[str]:
    rows = []
    for kind, spec in TABLE.items():
        fields = "<br>".join(f"`{name}`: {what}" for name, what in spec.data.items()) or "-"
        rows.append((f"`{kind.value}`", spec.when, fields))
    yield _table(("type", "when", "data"), rows)


def _commands() -> Iterator[str]:
    from posebus_cli.app import command

    yield from _command("posebus", command())


def _command(path: str, command: Any) -> Iterator[str]:
    """`command` and all below it."""
    inner = getattr(command, "commands", {})
    if not inner:
        arguments = [one for one in command.params if one.param_type_name == "argument"]
        usage = " ".join([path, "[OPTIONS]", *map(_argument, arguments)])
        yield f"### {path}\n\n```text\n{usage}\n```\n\n{_prose(command.help)}\n"
        rows = [_option(one) for one in command.params if one.name != "help" and not one.hidden]
        if rows:
            yield _table(("argument or option", "meaning"), rows)
    for name, one in inner.items():
        yield from _command(f"{path} {name}", one)


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    shown = name if parameter.required else f"[{name}]"
    return f"{shown}..." if parameter.nargs == -1 else shown


def _option(parameter: Any) -> tuple[str, str]:
    if parameter.param_type_name == "argument":
        return f"`{_argument(parameter)}`", _prose(parameter.help)
    flags = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag else f" {parameter.metavar or parameter.display_type(None).strip('<>')}"
    help_text = _prose(parameter.help)
    shown = parameter.default not in (None, False, ()) and "(default:" not in help_text
    return f"`{flags}{value}`", f"{help_text} (default: `{parameter.default}`)" if shown else help_text


def _prose(text: str | None) -> str:
    """Help as paragraphs, each in one line."""
    paragraphs = (" ".join(part.split()) for part in (text or "").split("\n\n"))
    return "\n\n".join(part for part in paragraphs if part)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = [[re.sub(r"\s*\n\s*", " ", cell).replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
