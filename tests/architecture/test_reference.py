"""docs/reference.md is that of the code, and its table of events is what the code emits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture.tree import ROOT, modules, parse

from docs.make_reference import PATH, render
from posebus.config.settings import CameraSettings, Settings
from posebus.contract.events import TABLE
from posebus.contract.events.rule_events import RULE_EVENTS
from posebus.messages import EventType

HELPERS = {"_data"}
"""Functions that make `data` for others of their module."""


def test_reference_is_up_to_date() -> None:
    assert PATH.read_text(encoding="utf-8") == render(), "run: make reference"


def test_reference_has_every_setting_with_its_default() -> None:
    text = PATH.read_text(encoding="utf-8")
    for name, field in {**Settings.model_fields, **CameraSettings.model_fields}.items():
        if name not in {"cameras", "worker", "tracker", "retention", "fleet", "sinks", "wall"}:
            meaning = (field.description or "").replace("|", "\\|")
            assert re.search(rf"^\| `{name}` \| .* \| {re.escape(meaning)} \|$", text, re.MULTILINE), name
    assert "| `lease_s` | a number above 0.2 | s | `2` |" in text
    assert "| `source` | text | - | required |" in text


def test_reference_has_every_command() -> None:
    from posebus_cli.app import command

    headings = set(re.findall(r"^### (posebus .*)$", PATH.read_text(encoding="utf-8"), flags=re.MULTILINE))

    def walk(path: str, one: object) -> Iterator[str]:
        inner = getattr(one, "commands", {})
        if not inner:
            yield path
        for name, below in inner.items():
            yield from walk(f"{path} {name}", below)

    assert headings == set(walk("posebus", command()))


def test_every_type_of_event_is_described() -> None:
    assert list(TABLE) == list(EventType)
    for spec in TABLE.values():
        assert spec.when.endswith(".")


def emitting(path: Path) -> tuple[set[EventType], set[str]]:
    """The types of events that a module emits, and the fields of `data` in the functions that do so."""
    kinds: set[EventType] = set()
    fields: set[str] = set()
    for function in ast.walk(parse(path)):
        if not isinstance(function, ast.FunctionDef):
            continue
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        named = {
            EventType[node.attr]
            for node in ast.walk(function)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "EventType"
        }
        makes = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls}
        if not (makes & {"camera_event", "track_event", "announce"} or function.name in HELPERS):
            if named and any(isinstance(node, ast.Return) for node in ast.walk(function)):
                kinds |= named  # it chooses the type for another function
            continue
        kinds |= named
        for node in ast.walk(function):
            if isinstance(node, ast.Dict):
                fields |= {key.value for key in node.keys if isinstance(key, ast.Constant)}
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                fields |= {node.slice.value} if isinstance(node.slice, ast.Constant) else set()
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "announce":
                fields |= {word.arg for word in node.keywords if word.arg is not None}
    return kinds, fields


ELSEWHERE = {("cameras", "camera_events.py"), ("events", "journeys.py")}
"""Modules whose events have fields in fields: tests of their own compare them with the table."""
EMITTERS = {
    path: found
    for package in ("ingest", "tracking")
    for path in modules(package)
    if "EventType" in path.read_text(encoding="utf-8")
    and (found := emitting(path))[0]
    and path.parts[-2:] not in ELSEWHERE
}


@pytest.mark.parametrize("path", EMITTERS, ids=lambda path: path.stem)
def test_fields_of_events_are_those_of_the_table(path: Path) -> None:
    kinds, fields = EMITTERS[path]
    known = {name for kind in kinds for name in TABLE[kind].data}
    assert fields <= known, f"{path.relative_to(ROOT)} emits fields that the table lacks"


def test_fields_of_the_table_are_emitted() -> None:
    own = set(EventType) - RULE_EVENTS.keys() - {EventType.TRACK_FINISHED}  # these are looked at where they are made
    assert {kind for kinds, _ in EMITTERS.values() for kind in kinds} == own
    for kind in own:
        spec = TABLE[kind]
        emitted = {name for kinds, fields in EMITTERS.values() if kind in kinds for name in fields}
        assert spec.data.keys() <= emitted, kind
