"""Commands in a folder whose files have the names of modules: nothing is imported from there, by no process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import hostile_folder
import pytest

from posebus.runtime.python_child import python_command, python_environment
from tests.clips import photograph
from tests.integration.run_command import posebus

SPAWN = "import multiprocessing as mp; p = mp.get_context('spawn').Process(target=print); p.start(); p.join(); print(1)"


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in such a folder; the file exists as soon as something was imported from there."""
    monkeypatch.chdir(tmp_path)
    return hostile_folder.fill(tmp_path)


def test_the_scripts_of_the_folder_are_imported_without_precautions(imported: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "tracking"], check=False, cwd=imported.parent)
    assert (done.returncode, imported.read_text()) == (hostile_folder.EXIT_CODE, "tracking ")


def test_run_with_all_its_processes(imported: Path, engine_cache: Path) -> None:
    shutil.copy(photograph("bus.jpg"), "bus.jpg")
    Path("cameras.yaml").write_text("cameras: {door: {source: 'rtsp://192.0.2.1/'}}")
    done = posebus(engine_cache, "run", "bus.jpg", "--out", "out", "--no-video", "--imgsz", "320")
    assert (done.returncode, imported.exists()) == (0, False), done.stderr
    assert Path("out", "bus.tracks.jsonl").read_text().count("\n") == 1
    assert posebus(engine_cache, "config", "check", "cameras.yaml").stdout.startswith("cameras.yaml: fine")
    assert not imported.exists()


def test_helpers_that_libraries_start(imported: Path) -> None:
    """The spawned processes of multiprocessing, and their resource tracker, inherit the path from our children."""
    environment = {**os.environ, **python_environment()}
    done = subprocess.run(python_command("-c", SPAWN), env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(), imported.exists()) == (0, ["1"], False), done.stderr
