"""Files and functions that stay small, and public names that change only on purpose."""

from __future__ import annotations

import ast
import importlib

import pytest
from architecture.tree import PACKAGES, ROOT, modules, parse

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

PUBLIC = {
    "posebus": [
        "COCO_KEYPOINT_NAMES",
        "AsyncSubscription",
        "CaptureClock",
        "Delivery",
        "Event",
        "EventType",
        "Message",
        "PoseBusError",
        "PoseFrame",
        "Provenance",
        "Subscription",
        "Track",
        "TrackFrame",
        "TrackState",
        "subscribe",
        "subscribe_async",
    ],
    "posebus_cli": ["main"],
}
"""Whoever changes this list changes what others may build on: say so in CHANGELOG.md."""


@pytest.mark.parametrize("package", sorted(PUBLIC))
def test_public_names_are_pinned(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(module.__all__) == sorted(PUBLIC[package])
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_files_and_functions_stay_small(package: str) -> None:
    wrong = []
    for path in modules(package):
        where = path.relative_to(ROOT)
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_FILE_LINES:
            wrong.append(f"{where} has {lines} lines")
        for node in ast.walk(parse(path)):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                wrong.append(f"{where}:{node.lineno} {node.name} has {length} lines")
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = len([argument for argument in arguments if argument.arg not in {"self", "cls"}])
            if count > MAX_PARAMETERS:
                wrong.append(f"{where}:{node.lineno} {node.name} has {count} parameters")
    assert not wrong
