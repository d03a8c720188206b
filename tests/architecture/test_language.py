"""Names and prose that a newcomer can read: one class name, one meaning; plain words in docstrings and comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from pathlib import Path

from architecture.tree import PACKAGES, ROOT, modules, parse

SHARED_CLASS_NAMES: dict[str, str] = {}
"""Class names that stand in more than one place on purpose, each with its reason."""

DIALECT = re.compile(r"\b(somebody|nobody|whoever|whom|told|whatever)\b", re.IGNORECASE)
MAX_DIALECT_LINES = 39
"""Lines in which one of these is the natural word; more of them make a dialect that only its authors speak."""


def test_a_class_name_has_one_meaning_in_all_packages() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for package in PACKAGES:
        for path in modules(package):
            for node in parse(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].add(str(path.relative_to(ROOT)))
    repeated = {name: sorted(files) for name, files in places.items() if len(files) > 1}
    assert {name: files for name, files in repeated.items() if name not in SHARED_CLASS_NAMES} == {}
    assert set(SHARED_CLASS_NAMES) <= set(repeated), "the list names classes that stand in one place only"


def prose_lines(path: Path) -> list[str]:
    """Lines of a Python file's docstrings and comments; none where the whole file has no such word."""
    text = path.read_text(encoding="utf-8")
    if not DIALECT.search(text):
        return []  # splitting all files into tokens would take many seconds
    lines = [
        token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
    ]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines += node.value.value.splitlines()
    return lines


def test_prose_uses_the_words_of_the_field() -> None:
    files = [path for top in (*PACKAGES, "benchmarks", "tests") for path in sorted((ROOT / top).rglob("*.py"))]
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        for line in prose_lines(path)
        if DIALECT.search(line)
    ]
    assert len(found) <= MAX_DIALECT_LINES, "\n".join(found)
