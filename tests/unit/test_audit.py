"""`make audit` distinguishes a clean result from none."""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import ROOT

SKIPPED = {"name": "a", "skip_reason": "Dependency not found on PyPI and could not be audited: a (1)"}
FINE = {"name": "b", "version": "1", "vulns": []}
BAD = {"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "deploy" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([], 3, "not audited"),
        ([SKIPPED], 3, "1 of 1 packages could not be looked up"),
        ([FINE, SKIPPED], 3, "1 of 2 packages"),
        ([FINE], 0, "no known vulnerability in 1 packages"),
        ([FINE, BAD, SKIPPED], 1, "c 2: PYSEC-1, mended in ['3']"),
    ],
)
def test_verdict(audit: ModuleType, packages: list[dict[str, Any]], code: int, words: str) -> None:
    found, text = audit.verdict(packages)
    assert found == code
    assert words in text
