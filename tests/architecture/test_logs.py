"""Records of the log that name a camera carry it as a field, too, for logs in JSON."""

from __future__ import annotations

import ast

import pytest
from architecture.tree import PACKAGES, ROOT, modules, parse

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def log_calls(tree: ast.AST) -> list[ast.Call]:
    """Calls like `log.warning(…)`."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
    ]


def names_camera(call: ast.Call, tree: ast.AST) -> bool:
    """Whether the text of a record, in the call or in a variable of the module, has a place for a camera."""
    text = call.args[0]
    if isinstance(text, ast.Name):
        values = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == text.id
        ]
    else:
        values = [text]
    return any(isinstance(value, ast.Constant) and "camera %s" in str(value.value) for value in values)


@pytest.mark.parametrize("package", PACKAGES)
def test_records_about_a_camera_have_it_as_a_field(package: str) -> None:
    trees = {path: parse(path) for path in modules(package)}
    wrong = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, tree in trees.items()
        for call in log_calls(tree)
        if names_camera(call, tree) and "extra" not in {word.arg for word in call.keywords}
    ]
    assert not wrong, "they lack extra=about(camera)"


def test_such_calls_are_found() -> None:
    lines = (
        'log.warning("camera %s: late", name)',
        'text = "camera %s waits"',
        "log.info(text, name)",
        'log.info("x")',
    )
    tree = ast.parse("\n".join(lines))
    assert [names_camera(call, tree) for call in log_calls(tree)] == [True, True, False]
