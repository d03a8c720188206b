"""Random kills, stalls and restarts of the broker, for `benchmarks.faults.soak`."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import redis

from posebus.runtime.fleet import Fleet

ROLES = ("ingest", "worker", "tracker")
STALLS_S = (0.5, 6.0)
BROKER_AWAY_S = (0.5, 4.0)
START_TIMEOUT_S = 20.0


class RestartableBroker:
    """A redis-server with an append-only file that can be killed and started again on the same port."""

    def __init__(self, folder: Path, max_memory: str = "1gb") -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise SystemExit("redis-server is not installed (on Debian: apt install redis-server)")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        place = ["--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(folder), "--logfile", f"{folder}/log"]
        keep = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        self._argv = [program, *place, *keep, "--maxmemory", max_memory, "--maxmemory-policy", "noeviction"]
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start the server, and wait until it has loaded its file. Raises SystemExit."""
        self._process = subprocess.Popen(self._argv, start_new_session=True)
        end_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end_s:
            with contextlib.suppress(redis.RedisError), redis.Redis(port=self._port) as client:
                if client.ping():
                    return
            time.sleep(0.05)
        raise SystemExit("redis-server did not start again")

    def end(self, number: signal.Signals) -> None:
        """End the server by a signal."""
        self._process.send_signal(number)
        self._process.wait()


@contextlib.contextmanager
def restartable_broker() -> Iterator[RestartableBroker]:
    """A broker in a temporary folder, which runs while the context is open."""
    with tempfile.TemporaryDirectory(prefix="posebus-soak-") as name:
        broker = RestartableBroker(Path(name))
        try:
            yield broker
        finally:
            broker.end(signal.SIGKILL)


class Chaos:
    """Injects faults at random times. Call `step` often: it never waits."""

    def __init__(self, fleet: Fleet, broker: RestartableBroker, rng: random.Random, mean_gap_s: float) -> None:
        self._fleet = fleet
        self._broker = broker
        self._rng = rng
        self._mean_gap_s = mean_gap_s
        self._next_at_s = time.monotonic() + mean_gap_s
        self._stalled: list[tuple[float, subprocess.Popen[bytes]]] = []
        self._broker_back: threading.Timer | None = None
        self.done: Counter[str] = Counter()

    def step(self, now_s: float) -> None:
        """Continue processes whose stall is over, and inject the next fault if it is due."""
        for resume_at_s, process in list(self._stalled):
            if now_s >= resume_at_s:
                self._stalled.remove((resume_at_s, process))
                process.send_signal(signal.SIGCONT)
        if now_s >= self._next_at_s:
            self._next_at_s = now_s + self._rng.expovariate(1 / self._mean_gap_s)
            self._strike(now_s)

    def calm(self) -> None:
        """Inject no more faults, and continue all stalled processes."""
        self._next_at_s = float("inf")
        self.step(time.monotonic() + STALLS_S[1])

    def _strike(self, now_s: float) -> None:
        kind = self._rng.choices(("kill", "stall", "broker"), weights=(70, 22, 8))[0]
        if kind == "broker":
            if self._broker_back is None or not self._broker_back.is_alive():
                number = self._rng.choice((signal.SIGKILL, signal.SIGTERM))
                self._broker.end(number)
                # In a thread, because the caller of `step` may wait for the broker.
                self._broker_back = threading.Timer(self._rng.uniform(*BROKER_AWAY_S), self._broker.start)
                self._broker_back.start()
                self.done[f"broker restarted after {number.name}"] += 1
            return
        role = self._rng.choice(ROLES)
        stalled = [process for _, process in self._stalled]
        children = self._fleet.processes.children.items()
        running = [c for n, c in children if n.startswith(role) and c.exit_code is None and c.process not in stalled]
        if not running:
            return
        process = self._rng.choice(running).process
        if kind == "kill":
            process.kill()
            self.done[f"{role} killed"] += 1
        else:
            process.send_signal(signal.SIGSTOP)
            self._stalled.append((now_s + self._rng.uniform(*STALLS_S), process))
            self.done[f"{role} stalled"] += 1
