"""Files and functions stay small, and public names change only on purpose."""

from __future__ import annotations
import __future__

import ast
import importlib
from types import ModuleType

import pytest
from architecture.tree import PACKAGES, ROOT, modules, parse

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

PUBLIC = {
    "posebus": [
        "COCO_KEYPOINT_NAMES",
        "AsyncSubscription",
        "BrokerRefused",
        "BrokerUnavailable",
        "CameraMotion",
        "CaptureClock",
        "Delivery",
        "Event",
        "EventType",
        "Message",
        "PoseBusError",
        "PoseFrame",
        "Provenance",
        "Renaming",
        "Subscription",
        "Track",
        "TrackFrame",
        "TrackState",
        "TrackTable",
        "evidence",
        "mask_of",
        "read_tracks",
        "subscribe",
        "subscribe_async",
    ],
    "posebus_cli": ["main"],
}
"""A change of this list changes what others may build on: mention it in CHANGELOG.md."""
NOT_OURS = {"annotations": __future__.annotations}
"""Names that a module has because of its `from __future__ import`."""


@pytest.mark.parametrize("package", sorted(PUBLIC))
def test_public_names_are_pinned(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(module.__all__) == sorted(PUBLIC[package])


@pytest.mark.parametrize("package", sorted(PUBLIC))
def test_exported_names_are_exactly_the_public_names_of_the_module(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        getattr(module, name)  # those of `posebus` are loaded when they are first used
    public = {
        name
        for name, value in vars(module).items()
        if not (name.startswith("_") or isinstance(value, ModuleType) or NOT_OURS.get(name) is value)
    }
    assert set(module.__all__) == public


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
