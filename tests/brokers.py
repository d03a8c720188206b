"""Real redis-servers, alone or as a cluster of three, that a test can kill and start again on the same data."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import TracebackType

import redis

from tests.conftest import START_TIMEOUT_S, missing
from tests.polling import wait_until
from tests.ports import free_port

SLOTS = 16384
PERSISTENT = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
"""The settings of deploy/redis.conf."""


class Server:
    """One redis-server with its own port and folder; use it in a `with`."""

    def __init__(self, folder: Path, *options: str, program: Path | None = None) -> None:
        """`program` is a server other than the redis-server on the PATH, for example a valkey-server."""
        found = program or shutil.which("redis-server")
        if found is None:
            missing("redis-server is not installed (on Debian: apt install redis-server)")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = options
        self._program = str(found)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, also after it was killed, with the data that it had written; return once it answers or loads."""
        self._folder.mkdir(parents=True, exist_ok=True)
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        log = ["--logfile", str(self._folder / "redis.log")]
        self._process = subprocess.Popen([self._program, *place, *log, *self._options])
        wait_until(self._answers, f"redis-server on port {self.port}")

    def kill(self) -> None:
        """Kill it with SIGKILL: data that it had not written is lost."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Stop it in order with SIGTERM."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(START_TIMEOUT_S)

    def client(self) -> redis.Redis:
        """Return a client of this server alone."""
        return redis.Redis(port=self.port, socket_timeout=5.0, protocol=2)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "redis.log").read_text()
        try:
            self.client().ping()
        except redis.exceptions.BusyLoadingError:
            return True
        except redis.AuthenticationError:
            return True
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        return True


class Cluster:
    """Three nodes without replicas that share the slots; use it in a `with`."""

    def __init__(self, folder: Path, *options: str, program: Path | None = None) -> None:
        """`program` is as of Server."""
        self.nodes = [Server(folder / str(number), *self._options(options), program=program) for number in range(3)]

    @property
    def url(self) -> str:
        """The address of its first node, from which a client finds the others."""
        return self.nodes[0].url

    def node_of(self, key: str) -> Server:
        """Return the node that holds `key`."""
        slot = int(self.nodes[0].client().execute_command("CLUSTER KEYSLOT", key))
        return self.nodes[slot * 3 // SLOTS]

    def wait_until_whole(self) -> None:
        """Wait until all nodes know each other and serve all slots."""
        wait_until(lambda: all(self._whole(node) for node in self.nodes), "the cluster")

    def __enter__(self) -> Cluster:
        for node in self.nodes:
            node.start()
        first = -1
        for number, node in enumerate(self.nodes):
            last = next(slot for slot in range(SLOTS, 0, -1) if (slot - 1) * 3 // SLOTS == number) - 1
            node.client().execute_command("CLUSTER ADDSLOTSRANGE", first + 1, last)
            node.client().execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            first = last
        for node in self.nodes[1:]:
            bus = int(node.client().config_get("cluster-port")["cluster-port"])
            self.nodes[0].client().execute_command("CLUSTER MEET", "127.0.0.1", node.port, bus)
        self.wait_until_whole()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self.nodes:
            node.kill()

    @staticmethod
    def _options(options: tuple[str, ...]) -> tuple[str, ...]:
        # The cluster bus would take the port 10000 above the other one, which may not exist.
        bus = ("--cluster-port", str(free_port()))
        return ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", *bus, *options)

    def _whole(self, node: Server) -> bool:
        try:
            info = node.client().execute_command("CLUSTER INFO")
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        return bool(info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "3")
