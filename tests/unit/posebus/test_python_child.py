"""The environment of children that run Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus.runtime import python_child
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("inherited", "installed", "expected"),
    [
        ({}, True, ""),
        ({"PYTHONPATH": ":/mine:"}, True, "/mine"),
        ({"PYTHONPATH": ":/mine:"}, False, f"/mine:{ROOT}"),
        ({"PYTHONPATH": str(ROOT)}, False, str(ROOT)),
    ],
)
def test_parts_that_mean_the_current_folder_go_and_the_folder_of_a_checkout_is_added(
    inherited: dict[str, str], installed: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_child, "_is_installed", lambda home: installed)
    assert python_child.python_environment(inherited) == {"PYTHONSAFEPATH": "1", "PYTHONPATH": expected}


def test_folders_are_added_for_the_child() -> None:
    assert python_child.python_environment({}, Path("/benchmarks"))["PYTHONPATH"].split(":")[0] == "/benchmarks"
