"""The source tree for the architecture tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("posebus", "ingest", "workers", "tracking", "recordings", "evidence", "wall", "posebus_cli")
STAGES = ("ingest", "workers", "tracking")


def modules(package: str) -> list[Path]:
    """All Python files of a package."""
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"{package} holds no Python file"
    return found


def name_of(path: Path) -> str:
    """`posebus_cli.app` for its file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path, tree: ast.AST) -> Iterator[str]:
    """Full names of the modules that the code under `tree` imports anywhere, also lazily or for types only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name_of(path).split(".")
                package = package if path.name == "__init__.py" else package[:-1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_at_load(path: Path) -> Iterator[str]:
    """Those that importing the module executes: not in functions, not under `if TYPE_CHECKING`."""
    todo: list[ast.AST] = [parse(path)]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from imports(path, ast.Module([node], []))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo += node.orelse
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            todo += ast.iter_child_nodes(node)
