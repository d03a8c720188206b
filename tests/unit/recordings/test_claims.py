"""Several runs in one folder: none takes the names of another one that still runs."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from recordings.inputs import file_names
from recordings.results.claims import claimed
from recordings.results.files import make_folder, write_at_once
from tests.conftest import ROOT

HOLD = """
import pathlib, sys
from recordings.results.claims import claimed
with claimed(pathlib.Path(sys.argv[1]), lambda used: ["clip"]):
    print("claimed", flush=True)
    sys.stdin.read()
"""


def claim(folder: Path) -> list[str]:
    with claimed(folder, lambda used: file_names(["a/clip.mp4"], used)) as names:
        return list(names)


def test_names_of_a_run_are_taken_until_it_ends_or_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert claim(tmp_path) == ["clip-2"]
        other.kill()
        other.wait()
    assert claim(tmp_path) == ["clip"]
    assert list(tmp_path.iterdir()) == []


def test_run_goes_on_where_the_file_system_has_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert claim(tmp_path) == ["clip"]
    assert list(tmp_path.iterdir()) == []


def start_often(folder: Path) -> int:
    for number in range(100):
        make_folder(folder)
        write_at_once(folder / "summary.json", str(number).encode())
    return 100


def test_runs_that_start_and_end_at_the_same_moment_do_not_disturb_each_other(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(start_often, [tmp_path / "out"] * 3)) == [100] * 3
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["summary.json"]
    assert (tmp_path / "out" / "summary.json").read_text() == "99"
