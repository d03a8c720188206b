"""SIGTERM and Ctrl-C end every command, in any state of waiting, at the first signal and without leftovers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.messages import Delivery
from tests.polling import wait_until

LIMIT_S = 60.0
"""Far above what is promised, to distinguish leaving from hanging on a busy machine. The commands' own limit is 3 s."""
START_S = 240.0
"""A tracker that is the first one on a machine compiles its kernels before it connects."""
CONFIG = """
redis: {redis}
worker: {{imgsz: 320, threads: 1}}
fleet: {{workers: 1, trackers: 1, stop_timeout_s: 3}}
cameras:
  door: {{source: 'synthetic:bus?fps=10'}}
  hanging: {{source: 'rtsp://127.0.0.1:{port}/', open_timeout_s: 30, read_timeout_s: 30}}
"""


class BlackHole:
    """Accepts connections and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.visited = threading.Event()
        self._guests: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._guests.append(self._listener.accept()[0])
                self.visited.set()

    def close(self) -> None:
        self._listener.close()
        for guest in self._guests:
            guest.close()


@pytest.fixture
def black_hole() -> Iterator[BlackHole]:
    hole = BlackHole()
    yield hole
    hole.close()


def start(folder: Path, redis: str, hole: BlackHole, *command: str) -> subprocess.Popen[str]:
    config = folder / "posebus.yaml"
    config.write_text(CONFIG.format(redis=redis, port=hole.port))
    argv = [sys.executable, "-m", "posebus_cli", *command, "--config", str(config)]
    # In its own session: Ctrl-C of a terminal reaches all its processes, and those that remain can be found.
    return subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)


def ends(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send one signal to the whole group, as a terminal does; the command must end in order."""
    os.killpg(process.pid, number)
    try:
        _, said = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        pytest.fail("one signal was not enough")
    assert "Traceback" not in said
    assert "unexpected" not in said
    assert process.returncode in ({0} if number is signal.SIGTERM else {0, 130}), said
    wait_until(lambda: not alive(process.pid), "the end of all processes of its group", LIMIT_S)


def alive(group: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


@pytest.mark.parametrize(
    "command", [("work",), ("track",), ("ingest",), ("ingest", "--camera", "door"), ("up",)], ids=" ".join
)
def test_broker_that_never_answers_does_not_hold_a_stage(
    command: tuple[str, ...], tmp_path: Path, black_hole: BlackHole
) -> None:
    process = start(tmp_path, f"redis://127.0.0.1:{black_hole.port}", black_hole, *command)
    assert black_hole.visited.wait(START_S)
    ends(process, signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_deployment_with_a_hanging_camera_ends_at_the_first_signal(
    number: signal.Signals, tmp_path: Path, redis_server: str, black_hole: BlackHole
) -> None:
    process = start(tmp_path, redis_server, black_hole, "up")
    assert black_hole.visited.wait(START_S)
    ends(process, number)


@pytest.mark.parametrize("command", ["watch", "metrics"])
def test_commands_that_only_read_end_at_ctrl_c(
    command: str, tmp_path: Path, redis_server: str, black_hole: BlackHole
) -> None:
    broker = open_broker(redis_server)
    Registry(broker).add_camera(CameraRecord("door", Delivery.LIVE, "synthetic"))
    more = ["--port", "0"] if command == "metrics" else []
    process = start(tmp_path, redis_server, black_hole, command, *more)
    if command == "metrics":
        assert process.stdout is not None
        process.stdout.readline()
    else:
        wait_until(
            lambda: any(client["cmd"].startswith("xread") for client in broker.client.client_list()),
            "a subscriber that reads",
        )
    ends(process, signal.SIGINT)


def test_stage_whose_broker_falls_silent_ends_within_its_limit(
    tmp_path: Path, redis_server: str, black_hole: BlackHole
) -> None:
    """The broker is stopped but alive: its connections stay open without data."""
    broker = open_broker(redis_server)
    process = start(tmp_path, redis_server, black_hole, "track")
    wait_until(
        lambda: any(report["pid"] == process.pid for report in Registry(broker).processes().values()),
        "the report of the tracker",
    )
    pid = int(broker.client.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        ends(process, signal.SIGTERM)
    finally:
        os.kill(pid, signal.SIGCONT)
