"""A broker that is killed, full, a replica, cut off, slow or silent: lossless runs stay exact."""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import posebus
from posebus.bus.redis.connection import open_broker
from posebus.errors import BrokerUnavailable
from tests.brokers import PERSISTENT, Server
from tests.faults.broker_runs import Recovery, deployment, leave_alone, run
from tests.faults.tcp_proxy import TcpProxy
from tests.polling import wait_until
from tests.ports import free_port

Fault = Callable[[], None]


@pytest.fixture(scope="module")
def clip(shared_data: Path) -> Path:
    return shared_data / "TUD-Stadtmitte.mp4"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, *PERSISTENT, "--maxmemory-policy", "noeviction") as running:
        yield running


class Faults:
    """Each method is one outage of about `outage_s`, after which everything is as before."""

    def __init__(self, server: Server, proxy: TcpProxy, outage_s: float) -> None:
        self._server = server
        self._proxy = proxy
        self._outage_s = outage_s

    def killed(self) -> None:
        self._server.kill()
        time.sleep(self._outage_s)
        self._server.start()

    def terminated(self) -> None:
        self._server.terminate()
        time.sleep(self._outage_s)
        self._server.start()

    def cut_off(self) -> None:
        self._proxy.cut()
        time.sleep(self._outage_s)
        self._proxy.restore()

    def cut_in_answers(self) -> None:
        for answer_bytes in (0, 1, 7, 100, 5000):
            self._proxy.break_after(answer_bytes)
            time.sleep(self._outage_s / 5)
        self._proxy.restore()

    def full(self) -> None:
        self._configured("maxmemory", "1", "0")

    def without_replicas(self) -> None:
        self._configured("min-replicas-to-write", "1", "0")

    def replica(self) -> None:
        client = self._server.client()
        client.execute_command("REPLICAOF", "127.0.0.1", free_port())
        time.sleep(self._outage_s)
        client.execute_command("REPLICAOF", "NO", "ONE")

    def slow(self) -> None:
        self._proxy.delay_s = 0.2
        time.sleep(2 * self._outage_s)
        self._proxy.restore()

    def silent(self) -> None:
        """Swallow all data for longer than the timeout of every process, which is 5 s for a reply."""
        self._proxy.swallow()
        time.sleep(6.0)
        self._proxy.restore()

    def _configured(self, name: str, bad: str, good: str) -> None:
        client = self._server.client()
        client.config_set(name, bad)
        time.sleep(self._outage_s)
        client.config_set(name, good)


def test_lossless_run_is_exact_through_all_faults_of_the_broker(
    clip: Path, server: Server, thorough: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    recovery = Recovery()
    with TcpProxy(server.port) as proxy:
        faults = Faults(server, proxy, outage_s=10.0 if thorough else 0.5)
        chosen = [faults.killed, faults.terminated, faults.cut_off, faults.cut_in_answers, faults.full]
        chosen += [faults.without_replicas, faults.replica, faults.slow]
        chosen += [faults.silent] if thorough else []
        rng.shuffle(chosen)
        disturbed = ["a-clip", "b-clip", "c-clip"] if thorough else ["a-clip"]
        moments = dict(zip(sorted(rng.sample(range(3, 60), len(chosen))), chosen, strict=True))
        seen = itertools.count()

        def disturb(message: posebus.Message) -> None:
            recovery.see(message)
            fault = moments.pop(next(seen), None)
            if fault is not None:
                fault()
                recovery.begin(fault.__name__)

        settings = deployment(clip, proxy.url, ["calm", *disturbed])
        public = run(settings, (["calm"], leave_alone), (disturbed, disturb))
    with capsys.disabled():
        sys.stdout.write(f"\nseed {seed}; from the broker's return to the next frame: {recovery}\n")
    assert not moments, "not every fault happened"
    for camera in disturbed:
        assert public[camera].tracks == public["calm"].tracks, f"{camera}, seed {seed}"
        assert public[camera].events == public["calm"].events, f"{camera}, seed {seed}"


def test_connection_that_stays_with_the_old_primary_is_given_up(tmp_path: Path) -> None:
    with (
        Server(tmp_path / "old") as old,
        Server(tmp_path / "new", "--repl-diskless-sync-delay", "0") as new,
        TcpProxy(old.port) as name,
    ):
        broker = open_broker(name.url)
        broker.client.set("posebus:{0}:state:door", "1")
        old.client().execute_command("REPLICAOF", "127.0.0.1", new.port)
        wait_until(lambda: old.client().info("replication")["master_link_status"] == "up", "the replica")
        name.upstream_port = new.port  # the address of the broker's name after the failover
        with pytest.raises(BrokerUnavailable, match="read-only replica"), broker.errors():
            broker.client.set("posebus:{0}:state:door", "2")
        with broker.errors():
            assert broker.client.set("posebus:{0}:state:door", "2")
