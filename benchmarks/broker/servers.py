"""The servers of `benchmarks.broker`: started, stopped, and their counters of processor time, memory and network."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis

from posebus.bus.redis.connection import Client, check_broker, connect, open_broker
from posebus.bus.registry import Registry
from posebus.config.redaction import redact_url
from posebus.runtime.embedded import EmbeddedBroker

START_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class ServerUsage:
    """A server's counters at one moment; `commands` are calls and microseconds of each command."""

    command_thread_s: float
    process_s: float
    in_bytes: int
    out_bytes: int
    memory_bytes: int
    commands: dict[str, tuple[int, int]]


def usage(client: Client) -> ServerUsage:
    """The counters of the server behind `client` since its start, and its present memory."""
    info: Any = client.info("everything")
    commands = {
        name.removeprefix("cmdstat_"): (int(row["calls"]), int(row["usec"]))
        for name, row in info.items()
        if name.startswith("cmdstat_")
    }
    return ServerUsage(
        command_thread_s=info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"],
        process_s=info["used_cpu_user"] + info["used_cpu_sys"],
        in_bytes=info["total_net_input_bytes"],
        out_bytes=info["total_net_output_bytes"],
        memory_bytes=info["used_memory"],
        commands=commands,
    )


def commands_between(before: ServerUsage, after: ServerUsage) -> dict[str, tuple[int, int]]:
    """Calls and microseconds of each command that was executed between the two moments."""
    grown = {}
    for name, (calls, usec) in after.commands.items():
        calls_before, usec_before = before.commands.get(name, (0, 0))
        if calls > calls_before:
            grown[name] = (calls - calls_before, usec - usec_before)
    return grown


@contextlib.contextmanager
def servers(kind: str, count: int, options: list[str]) -> Iterator[tuple[str, list[str]]]:
    """A description of the servers and the addresses of `count` of them, which run while the context is open.

    `kind` is `embedded`, `redis-server`, or the address of a broker without cameras. `options` go to the command line
    of redis-server. Raises SystemExit.
    """
    with contextlib.ExitStack() as stack:
        if kind == "embedded":
            urls = [stack.enter_context(EmbeddedBroker()) for _ in range(count)]
        elif kind == "redis-server":
            urls = [stack.enter_context(_redis_server(options)) for _ in range(count)]
        else:
            urls = [kind]
            if Registry(open_broker(kind)).cameras():
                raise SystemExit(
                    f"the broker at {redact_url(kind)} has cameras, which the load would disturb: name another one"
                )
        name = check_broker(connect(urls[0]), redact_url(urls[0]))
        transport = "Unix socket" if urls[0].startswith("unix:") else "TCP"
        yield ", ".join([name, transport, *([" ".join(options)] if options and kind == "redis-server" else [])]), urls


@contextlib.contextmanager
def _redis_server(options: list[str]) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is not installed (on Debian: apt install redis-server)")
    with tempfile.TemporaryDirectory(prefix="posebus-bench-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--logfile", f"{folder}/log"]
        # In a session of its own: Ctrl-C in a terminal must not stop it before the benchmark has read its counters.
        process = subprocess.Popen(
            [program, *place, "--save", "", "--appendonly", "no", *options], start_new_session=True
        )
        try:
            _wait_for(process, port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    client = connect(f"redis://127.0.0.1:{port}")
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            client.ping()
        except redis.ConnectionError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit("redis-server did not start: check the options given with --server-option")
