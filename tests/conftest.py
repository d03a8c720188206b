"""Fixtures that every suite shares. In CI what is missing fails; elsewhere it skips with the reason."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

# Tests that import ultralytics must not have it install packages, nor look for them.
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
START_TIMEOUT_S = 10.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="fault and fuzz tests in their long versions")


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether the long versions are wanted: many more kills, reconnects and inputs than `make test` has time for."""
    return bool(pytestconfig.getoption("--thorough"))


def missing(reason: str) -> None:
    """Fail where CI is set, skip elsewhere: a user may lack the data or a broker, CI may not."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of clips with ground truth beside the repository."""
    if not SHARED_DATA.is_dir():
        missing("the folder ../shared/data with the test clips is not there")
    return SHARED_DATA


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real redis-server of its own, on a free loopback port, that keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed (on Debian: apt install redis-server)")
    folder = tmp_path_factory.mktemp("redis-server")
    process, url = start_redis_server(str(program), folder)
    yield url
    process.terminate()
    process.wait(timeout=START_TIMEOUT_S)


def start_redis_server(
    program: str, folder: Path, *options: str, config: Path | None = None
) -> tuple[subprocess.Popen[bytes], str]:
    """Starts `program` on a free port; returns it, answering, and its address.

    With `config`, a redis.conf, it runs by that file; without, it keeps nothing on disk. `options` are as on its
    command line. Somebody else may take the port between our looking and its binding; then another port is tried.
    """
    log = folder / "redis.log"
    settings = ["--save", "", "--appendonly", "no"] if config is None else []
    start = [program] if config is None else [program, str(config)]
    for _ in range(5):
        port = free_port()
        place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--logfile", str(log)]
        process = subprocess.Popen([*start, *place, *settings, *options])
        if _answers(process, port):
            return process, f"redis://127.0.0.1:{port}/0"
        process.kill()
        process.wait()
    text = log.read_text() if log.exists() else "it wrote no log"
    pytest.fail(f"redis-server did not start: {text}")


def free_port() -> int:
    """A port of the loopback interface that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether `process` itself answers on `port` in time; a request for a password is an answer too."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        client = redis.Redis(port=port, socket_timeout=1.0)
        try:
            client.ping()
        except redis.AuthenticationError:
            return process.poll() is None
        except (redis.ConnectionError, redis.TimeoutError):
            time.sleep(0.02)
        else:
            return process.poll() is None
        finally:
            client.close()
    return False
