"""The same contract suite against an in-memory twin, the embedded Valkey and Debian's redis-server.

fakeredis is quick but proves nothing about blocking, reclaiming or restarts: tests of those take `real_url`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import fakeredis
import pytest
import redis

from posebus.bus.connection import connect
from posebus.embedded import EmbeddedBroker

MakeClient = Callable[[], redis.Redis]


@pytest.fixture(scope="session")
def embedded_url() -> Iterator[str]:
    with EmbeddedBroker() as url:
        yield url


@pytest.fixture(params=["fakeredis", "valkey", "redis"])
def make_client(request: pytest.FixtureRequest) -> MakeClient:
    """Makes clients of one empty broker, a new connection each."""
    if request.param == "fakeredis":
        server = fakeredis.FakeServer(version=(7, 0))
        return lambda: fakeredis.FakeRedis(server=server)
    url = request.getfixturevalue("embedded_url" if request.param == "valkey" else "redis_server")
    connect(url).flushall()
    return lambda: connect(url)


@pytest.fixture(params=["valkey", "redis"])
def real_url(request: pytest.FixtureRequest) -> str:
    """Address of an empty real broker."""
    url: str = request.getfixturevalue("embedded_url" if request.param == "valkey" else "redis_server")
    connect(url).flushall()
    return url
