"""`posebus top` on a real terminal of several sizes: what pyte shows of it, its keys, and the terminal afterwards."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyte
import pytest

from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.errors import PoseBusError
from posebus.messages import Delivery
from posebus.runtime.embedded import EmbeddedBroker
from tests.integration import run_command
from tests.polling import wait_until

CAMERAS = [f"door-{number:02}" for number in range(30)]
ENTER, LEAVE, SHOW_CURSOR, HIDE_CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?25l"


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """A broker with 30 cameras, one of them offline, whose processes report; nothing tracks."""
    with EmbeddedBroker() as url:
        broker = open_broker(url)
        registry = Registry(broker)
        for camera in CAMERAS:
            registry.add_camera(CameraRecord(camera, Delivery.LIVE, "synthetic"))
        stopping = threading.Event()

        def report() -> None:
            source = {"state": "online", "fps": 10.0, "dropped": {}}
            cameras: dict[str, Any] = dict.fromkeys(CAMERAS, source)
            cameras["door-17"] = {"state": "offline", "trouble": "no answer within 5 s", "dropped": {}}
            while not stopping.wait(0.5):
                with suppress(PoseBusError):  # while a test keeps all programs out
                    registry.report("ingest-1", "ingest", {"ready": True, "cameras": cameras})
                    registry.report("worker-1", "worker", {"ready": True, "engine": "openvino", "frames": 5})

        thread = threading.Thread(target=report)
        thread.start()
        yield broker
        stopping.set()
        thread.join()


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, cache: Path, url: str, columns: int, rows: int) -> None:
        self._own, other = pty.openpty()
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self.resize(columns, rows)
        self.modes = termios.tcgetattr(other)
        self._other = other
        known = run_command.environment(cache)
        # pytest-xdist sets a size, which would count more than that of the terminal.
        environment = {**{k: v for k, v in known.items() if k not in {"COLUMNS", "LINES"}}, "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "posebus_cli", "top", "--redis", url],
            stdin=other,
            stdout=other,
            stderr=other,
            env=environment,
            preexec_fn=lambda: (os.setsid(), fcntl.ioctl(other, termios.TIOCSCTTY, 0)),
        )

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._own, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def type(self, keys: str) -> None:
        os.write(self._own, keys.encode())

    def lines(self) -> list[str]:
        """What the screen shows now."""
        while select.select([self._own], [], [], 0.05)[0]:
            data = os.read(self._own, 65536)
            self.written += data
            self._stream.feed(data)
        return [line.rstrip() for line in self.screen.display]

    def shows(self, *texts: str) -> list[str]:
        """Wait until the screen shows all of `texts`, and return its lines."""
        wait_until(
            lambda: all(any(text in line for line in self.lines()) for text in texts), f"the screen: {texts}", 60
        )
        return self.lines()

    def ends(self) -> int:
        """Wait for the end of the process; the terminal is then as it was before."""
        wait_until(lambda: (self.lines(), self.process.poll())[1] is not None, "the end of the command", 60)
        self.lines()
        assert termios.tcgetattr(self._other) == self.modes
        assert self.written.rfind(ENTER) < self.written.rfind(LEAVE)
        assert self.written.rfind(HIDE_CURSOR) < self.written.rfind(SHOW_CURSOR)
        assert b"Traceback" not in self.written
        os.close(self._own)
        os.close(self._other)
        return self.process.returncode


@pytest.fixture
def terminal(broker: Broker, engine_cache: Path) -> Iterator[Callable[[int, int], Terminal]]:
    started: list[Terminal] = []

    def start(columns: int, rows: int) -> Terminal:
        started.append(Terminal(engine_cache, broker.where, columns, rows))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_all_sizes_show_the_words_the_tables_and_the_keys(terminal: Callable[[int, int], Terminal]) -> None:
    top = terminal(80, 24)
    lines = top.shows("nothing reads poses: start posebus track", "worker", "q quits")
    rows = [line.split() for line in lines if line.startswith("door-") and ": " not in line]
    assert [row[:2] for row in rows[:2]] == [["door-17", "offline"], ["door-00", "online"]], "the one in trouble first"
    top.type("\x1b[B" * 3)
    top.shows("3 above")
    top.type("G")
    assert not any("door-17  offline" in line for line in top.shows("door-29  online"))
    top.type("g")
    top.resize(120, 40)
    assert sum(line.startswith("door-") and "line" in line for line in top.shows("door-27", "openvino")) >= 28
    top.resize(40, 12)
    wait_until(lambda: top.lines()[-1].endswith("q quits"), "the small screen", 60)
    lines = top.lines()
    assert lines[1] == "nothing reads poses: start posebus track"
    assert any(line.startswith("door-17  offline") for line in lines)
    top.type("q")
    assert top.ends() == 0


@pytest.mark.parametrize(("end", "code"), [("ctrl-c", 130), ("sigterm", 128 + signal.SIGTERM), ("crash", 1)])
def test_terminal_is_as_before_however_it_ends(
    end: str, code: int, terminal: Callable[[int, int], Terminal], broker: Broker
) -> None:
    top = terminal(80, 24)
    top.shows("nothing reads poses")
    if end == "ctrl-c":
        top.type("\x03")
    elif end == "sigterm":
        top.process.send_signal(signal.SIGTERM)
    else:
        broker.client.config_set("requirepass", "another")
        broker.client.client_kill_filter(_type="normal", skipme=True)
    assert top.ends() == code
    if end == "crash":
        broker.client.config_set("requirepass", "")
        assert b"posebus: " in top.written[top.written.rfind(LEAVE) :]
