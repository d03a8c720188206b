"""`posebus health ROLE` against real processes: it counts those that live, and asks nothing of the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import posebus
from posebus.runtime.health import FOLDER_ENV, INGEST_SUPERVISOR, SILENT_AFTER_S, HealthFile, check
from tests.conftest import ROOT
from tests.polling import wait_until

BEATING = """
import sys, time
from posebus.runtime.health import HealthFile

file = HealthFile(sys.argv[1])
while True:
    file.beat(time.monotonic())
    time.sleep(0.05)
"""

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process of a role whose loop turns."""
    running: list[subprocess.Popen[bytes]] = []

    def start_process(role: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, FOLDER_ENV: str(tmp_path)}
        running.append(subprocess.Popen([sys.executable, "-c", BEATING, role], cwd=ROOT, env=environment))
        path = tmp_path / f"{role}-{running[-1].pid}"
        wait_until(path.exists, "the first beat")
        return running[-1]

    yield start_process
    for process in running:
        process.kill()
        process.wait()


def ask(role: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a container runs it."""
    return subprocess.run(
        [sys.executable, "-m", "posebus_cli", "health", role],
        cwd=ROOT,
        env={**os.environ, FOLDER_ENV: str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def later_s() -> float:
    """A time at which every beat until now is too old."""
    return time.monotonic() + SILENT_AFTER_S + 1.0


def test_processes_that_beat_are_healthy_and_killed_ones_are_not_counted(start: Start, tmp_path: Path) -> None:
    process = start("worker")
    assert (ask("worker", tmp_path).returncode, ask("worker", tmp_path).stdout) == (0, "worker is healthy\n")
    assert ask("tracker", tmp_path).returncode == 1
    process.kill()
    process.wait()
    done = ask("worker", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "posebus: no worker is ready on this machine: none runs here, or it is still starting\n"


def test_a_process_that_hangs_makes_its_role_unhealthy(start: Start, tmp_path: Path) -> None:
    hanging, _ = start("worker"), start("worker")
    hanging.send_signal(signal.SIGSTOP)
    try:
        told = f"posebus: worker (process {hanging.pid}) last reported "
        wait_until(lambda: ask("worker", tmp_path).stderr.startswith(told), "the worker counts as hanging", poll_s=0.5)
    finally:
        hanging.send_signal(signal.SIGCONT)
    wait_until(lambda: check("worker", str(tmp_path), time.monotonic()) is None, "both workers are healthy")


def test_ingest_needs_a_camera_and_a_supervisor_that_turns(start: Start, tmp_path: Path) -> None:
    start(INGEST_SUPERVISOR)
    assert "no ingest is ready" in str(check("ingest", str(tmp_path), time.monotonic()))
    start("ingest")
    assert check("ingest", str(tmp_path), time.monotonic()) is None
    assert "hangs" in str(check("ingest", str(tmp_path), later_s()))


def test_a_file_that_appears_tells_its_first_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    appearing: list[bytes] = []
    rename = os.rename

    def read_and_rename(new: str, path: str) -> None:
        appearing.append(Path(new).read_bytes())
        rename(new, path)

    monkeypatch.setattr(os, "rename", read_and_rename)
    file = HealthFile("worker", str(tmp_path))
    file.beat(12.5)
    file.remove()
    assert [float(text) for text in appearing] == [12.5], "a check in that moment would call a new process hanging"


def test_the_file_of_a_killed_process_is_removed_by_the_next_one(start: Start, tmp_path: Path) -> None:
    killed = start("worker")
    killed.kill()
    killed.wait()
    successor = start("worker")
    assert [path.name for path in tmp_path.iterdir()] == [f"worker-{successor.pid}"]


def test_a_process_that_ends_in_order_leaves_no_file(tmp_path: Path) -> None:
    file = HealthFile("tracker", str(tmp_path))
    file.remove()
    file.beat(time.monotonic())
    assert check("tracker", str(tmp_path), time.monotonic()) is None
    file.remove()
    assert not list(tmp_path.iterdir())


def test_a_process_removes_its_file_when_it_exits(start: Start, tmp_path: Path) -> None:
    process = start("metrics")
    process.send_signal(signal.SIGINT)
    process.wait()
    assert not list(tmp_path.iterdir())


def test_damaged_files_and_folders_of_others_are_no_health(tmp_path: Path) -> None:
    assert "no metrics is ready" in str(check("metrics", str(tmp_path / "missing"), 0.0))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    HealthFile("metrics", str(tmp_path / "link")).beat(0.0)
    assert not list((tmp_path / "folder").iterdir()), "a link in a folder for all users may lead anywhere"
    os.mkfifo(tmp_path / "folder" / "metrics-1")
    (tmp_path / "folder" / "metrics-2").write_text("nonsense")
    assert "no metrics is ready" in str(check("metrics", str(tmp_path / "folder"), 0.0))


def test_a_folder_that_cannot_be_written_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = HealthFile("worker", str(tmp_path / "missing" / "folder"))
    file.beat(0.0)
    file.beat(1.0)
    (record,) = caplog.records
    assert record.message.startswith("'posebus health' cannot see this process, because ")
    assert FOLDER_ENV in record.message


def test_the_check_loads_nothing_that_takes_time(tmp_path: Path) -> None:
    code = """
import sys
sys.argv = ["posebus", "health", "worker"]
from posebus_cli import main
try:
    main()
finally:
    print(*sys.modules)
"""
    # -S: what an installation loads at every start is not ours.
    environment = {**os.environ, FOLDER_ENV: str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    loaded = set(done.stdout.split())
    assert "posebus.runtime.health" in loaded
    assert not loaded & {"typer", "rich", "numpy", "redis", "pydantic", "dataclasses", "logging"}


def test_every_public_name_is_there_although_it_is_loaded_late() -> None:
    namespace: dict[str, object] = {}
    exec("from posebus import *", namespace)
    assert set(posebus.__all__) <= namespace.keys()
    assert set(posebus.__all__) <= set(dir(posebus))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = posebus.nothing  # type: ignore[attr-defined]
