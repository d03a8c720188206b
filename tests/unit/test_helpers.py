"""What tests share between processes: ports, and what is made once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.once import made_once
from tests.polling import wait_until
from tests.ports import PORTS, free_port

FIVE_PORTS = "from tests.ports import free_port; print(*[free_port() for _ in range(5)]); input()"


def test_no_two_processes_get_the_same_port() -> None:
    pipe = subprocess.PIPE
    others = [
        subprocess.Popen([sys.executable, "-c", FIVE_PORTS], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        for _ in range(2)
    ]
    ports = [free_port() for _ in range(5)]
    for other in others:
        assert other.stdout is not None
        ports += map(int, other.stdout.readline().split())
    for other in others:
        other.communicate("\n")
    assert len(set(ports)) == len(ports) == 15
    assert set(ports) <= set(PORTS)


def test_what_is_made_once_is_made_by_the_first_who_asks(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "result").touch()

    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: made_once(tmp_path / "thing", make), range(8)))
    assert folders == {tmp_path / "thing"}
    assert (tmp_path / "thing" / "result").exists()
    assert len(made) == 1


def test_what_could_not_be_made_is_tried_again(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        made_once(tmp_path / "thing", fail)
    folder = made_once(tmp_path / "thing", lambda folder: (folder / "whole").touch())
    assert [path.name for path in folder.iterdir()] == ["whole"]


def test_waiting_in_vain_names_what_was_waited_for() -> None:
    steps: list[int] = []
    with pytest.raises(AssertionError, match=r"not within 0\.05 s: the end of the world"):
        wait_until(lambda: False, "the end of the world", 0.05, meanwhile=lambda: steps.append(1), poll_s=0.01)
    assert steps
