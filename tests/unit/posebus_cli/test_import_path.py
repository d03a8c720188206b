"""Which folders the command does not import from."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus_cli.import_path import safe_path
from tests.conftest import ROOT

HERE, BIN = Path("/home/me/clips"), Path("/venv/bin")
REST = ["/usr/lib/python3", "/venv/site-packages"]


@pytest.mark.parametrize("first", ["", str(HERE), str(BIN)])
def test_what_python_puts_first_is_removed(first: str) -> None:
    assert safe_path([first, *REST], HERE, BIN, {}) == REST


def test_other_folders_stay() -> None:
    assert safe_path(["/mine", str(HERE), *REST], HERE, BIN, {}) == ["/mine", str(HERE), *REST]
    assert safe_path([str(ROOT), *REST], ROOT, BIN, {}) == [str(ROOT), *REST]


def test_the_current_folder_stays_on_pythonpath_only_by_its_name() -> None:
    path = [str(BIN), str(HERE), *REST]
    assert safe_path(path, HERE, BIN, {"PYTHONPATH": str(HERE)}) == path[1:]
    assert safe_path(path, HERE, BIN, {"PYTHONPATH": f"{HERE}:"}) == path[1:]
    assert safe_path(path, HERE, BIN, {"PYTHONPATH": "/other:"}) == REST
