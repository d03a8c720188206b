"""Opening a connection to the broker at an address: one server, or a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

import redis
from redis.exceptions import ReadOnlyError

from posebus.bus.redis.client import Client as OneServer
from posebus.bus.redis.client import connect
from posebus.bus.redis.cluster import ClusterClient
from posebus.bus.redis.errors import broker_errors
from posebus.config.redaction import redact_url
from posebus.errors import BrokerRefused, BrokerUnavailable
from posebus.topology import Topology

__all__ = ["Broker", "Client", "broker_version", "check_broker", "connect", "open_broker"]

Client: TypeAlias = "redis.Redis"

OLDEST_REDIS = (7, 0)
OLDEST_VALKEY = (8, 0)


@dataclass(frozen=True, slots=True)
class Broker:
    """A connection, the names of its keys, and its address for messages (without credentials)."""

    client: Client
    topology: Topology
    where: str

    @contextmanager
    def errors(self) -> Iterator[None]:
        """`broker_errors` for this broker."""
        with broker_errors(self.where):
            try:
                yield
            except ReadOnlyError:
                # After a failover the name may resolve to the new primary, but open connections stay at the old one.
                self.client.connection_pool.disconnect(inuse_connections=False)
                raise

    def now_ns(self) -> int:
        """The broker's wall clock, a common time for hosts whose clocks disagree; in a cluster, that of one node."""
        with self.errors():
            seconds, microseconds = self.client.time()
        return seconds * 1_000_000_000 + microseconds * 1000

    def servers(self) -> Mapping[str, Client]:
        """A client for each server that holds keys, by its address for messages."""
        with self.errors():
            return self.client.nodes() if isinstance(self.client, ClusterClient) else {self.where: self.client}


def open_broker(url: str, shards: int = 1) -> Broker:
    """Connect to a deployment of `shards` shards on one server or a Redis Cluster, and check its version.

    `url` may name several nodes of a cluster, of which the first that answers is asked for the others:
    `redis://a:6379,b:6379,c:6379`. Raises BrokerUnavailable if none answers, and BrokerRefused if the broker refuses
    the login or is too old.
    """
    where = redact_url(url)
    seeds = addresses(url)
    for position, address in enumerate(seeds):
        client = connect(address)
        try:
            check_broker(client, where)
            with broker_errors(where):
                return Broker(_for_mode(client, where), Topology(shards), where)
        except BrokerUnavailable:
            client.close()
            if position == len(seeds) - 1:
                raise
    raise AssertionError("an address names at least one server")


def addresses(url: str) -> list[str]:
    """The address of each of the servers that `url` names: `redis://USER@a:1,b:2` is `redis://USER@a:1`, then b's."""
    parts = urlsplit(url)
    if "," not in parts.netloc:
        return [url]
    login, at, hosts = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(netloc=f"{login}{at}{host}")) for host in hosts.split(",")]


def _for_mode(client: OneServer, where: str) -> Client:
    """`client`, or a client of the whole cluster that its server belongs to."""
    info = client.info("server")
    if info.get("server_mode", info.get("redis_mode")) != "cluster":  # Valkey has the first name, Redis the second
        return client
    if "path" in client.connection_pool.connection_kwargs:
        raise BrokerRefused(
            f"the broker at {where} is a cluster, whose nodes are reached by redis:// or rediss:// only"
        )
    return ClusterClient(client)


def broker_version(client: Client) -> tuple[str, tuple[int, int]]:
    """(`Redis` or `Valkey`, (major, minor)) of the server behind `client`."""
    info = client.info("server")
    name = "Valkey" if "valkey_version" in info else "Redis"
    text = str(info.get("valkey_version") or info.get("redis_version") or "0.0")
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return name, (int(major or 0), int(minor or 0))


def check_broker(client: Client, where: str) -> str:
    """Connect to the broker and check its version; returns e.g. `Valkey 9.1`.

    Raises BrokerUnavailable if it does not answer, and BrokerRefused if it refuses the login or is too old.
    """
    with broker_errors(where):
        name, version = broker_version(client)
    oldest = OLDEST_VALKEY if name == "Valkey" else OLDEST_REDIS
    if version < oldest:
        raise BrokerRefused(
            f"the broker at {where} is {name} {version[0]}.{version[1]}; posebus needs Redis 7.0 or Valkey 8.0 or newer"
        )
    return f"{name} {version[0]}.{version[1]}"
