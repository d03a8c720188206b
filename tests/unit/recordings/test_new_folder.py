"""Results without a folder of their own never meet earlier results."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from posebus.errors import OutputError
from recordings.results.new_folder import new_folder, results_folder


def test_each_call_makes_another_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(new_folder, [tmp_path] * 8))
    names = {"posebus-out", *(f"posebus-out-{number}" for number in range(2, 9))}
    assert {folder.name for folder in folders} == {path.name for path in tmp_path.iterdir()} == names


def test_a_file_in_the_place_of_the_folder_is_kept(tmp_path: Path) -> None:
    (tmp_path / "posebus-out").write_text("mine")
    assert new_folder(tmp_path) == tmp_path / "posebus-out-2"
    assert (tmp_path / "posebus-out").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another one with --out"):
        new_folder(tmp_path / "missing")


def test_a_new_folder_goes_again_if_nothing_came_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with results_folder(None) as folder:
        pass
    assert not folder.exists()
    with results_folder(None) as folder:
        (folder / "summary.json").touch()
    assert folder.exists()


def test_a_chosen_folder_is_left_to_the_caller(tmp_path: Path) -> None:
    with results_folder(tmp_path / "chosen") as folder:
        assert folder == tmp_path / "chosen"
    assert not folder.exists()
