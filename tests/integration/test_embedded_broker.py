"""The embedded broker: reachable only locally, not stopped by the terminal's signals, and without leftovers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from posebus.bus.redis.connection import connect
from posebus.errors import ConfigError
from posebus.runtime.embedded import EmbeddedBroker
from tests.conftest import start_redis_server
from tests.polling import wait_until


def server_pid(url: str) -> int:
    return int(connect(url).info("server")["process_id"])


def is_running(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_broker_serves_on_a_private_socket_and_leaves_nothing() -> None:
    with EmbeddedBroker() as url:
        folder = Path(url.removeprefix("unix://")).parent
        assert connect(url).ping()
        assert connect(url).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert (folder / "broker.sock").stat().st_mode & 0o077 == 0
        pid = server_pid(url)
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(redis.ConnectionError):
        connect(url).ping()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_for_the_whole_group_does_not_stop_it(number: signal.Signals) -> None:
    with EmbeddedBroker() as url:
        os.kill(server_pid(url), number)
        client = connect(url)
        assert all(client.ping() for _ in range(20))


def test_two_brokers_share_nothing() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as other:
        connect(one).set("key", "value")
        assert connect(other).get("key") is None


def test_port_that_is_taken_is_reported_with_a_reason(tmp_path: Path) -> None:
    import shutil

    from tests.conftest import missing

    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed")
    process, url = start_redis_server(str(program), tmp_path)
    port = int(url.rsplit(":", 1)[1].partition("/")[0])
    try:
        with pytest.raises(ConfigError, match=f"cannot use port {port} .* another port with --port"):
            EmbeddedBroker(port).start()
    finally:
        process.terminate()
        process.wait()


def test_broker_ends_with_a_process_that_was_killed() -> None:
    script = (
        "import time; from posebus.runtime.embedded import EmbeddedBroker; "
        "print(EmbeddedBroker().start(), flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    url = owner.stdout.readline().strip()
    pid = server_pid(url)
    owner.kill()
    owner.wait()
    wait_until(lambda: not is_running(pid), "the end of the broker")
    wait_until(lambda: not Path(url.removeprefix("unix://")).parent.exists(), "the end of its folder")
