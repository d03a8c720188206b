"""Opening a connection, and turning redis-py's errors into ours, which say what the loop should do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from posebus.errors import BrokerRefused, BrokerUnavailable
from posebus.settings import redact_url
from posebus.topology import Topology

Client: TypeAlias = "redis.Redis"

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 10.0
"""Longer than any blocking read, so that a silent broker is told from a quiet stream."""

OLDEST_REDIS = (7, 0)
OLDEST_VALKEY = (8, 0)


@dataclass(frozen=True, slots=True)
class Broker:
    """A connection, how the keys are named behind it, and what to call it in a sentence (without credentials)."""

    client: Client
    topology: Topology
    where: str

    def errors(self) -> AbstractContextManager[None]:
        """`broker_errors` for this broker."""
        return broker_errors(self.where)

    def now_ns(self) -> int:
        """The broker's wall clock, which is the same for hosts whose own clocks disagree."""
        with self.errors():
            seconds, microseconds = self.client.time()
        return seconds * 1_000_000_000 + microseconds * 1000


def open_broker(url: str, shards: int = 1) -> Broker:
    """Connect to a deployment of `shards` shards and check that the broker will do.

    Raises BrokerUnavailable if it does not answer and BrokerRefused if it will not let us in or is too old.
    """
    broker = Broker(connect(url), Topology(shards), redact_url(url))
    check_broker(broker.client, broker.where)
    return broker


def connect(url: str) -> Client:
    """A client for `url`; connects lazily. Raises BrokerRefused for an address that makes no sense.

    Retries are the stage loop's business (it knows what to repeat), so redis-py's own are off; RESP2 keeps the shapes
    of stream replies the same in all versions of redis-py.
    """
    try:
        return redis.Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            health_check_interval=30,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise BrokerRefused(f"the broker address {redact_url(url)} cannot be used: {error}") from error


@contextmanager
def broker_errors(where: str) -> Iterator[None]:
    """Raise BrokerUnavailable or BrokerRefused for what redis-py raises inside; `where` is a redacted address."""
    try:
        yield
    except (
        redis.AuthenticationError,
        redis.exceptions.NoPermissionError,
        redis.exceptions.AuthorizationError,
    ) as error:
        raise BrokerRefused(
            f"the broker at {where} refused the login: {error}; check user and password in its address"
        ) from error
    except redis.exceptions.OutOfMemoryError as error:
        raise BrokerUnavailable(f"the broker at {where} is full (maxmemory); free memory or raise the limit") from error
    except redis.exceptions.ReadOnlyError as error:
        raise BrokerUnavailable(f"the broker at {where} is a read-only replica; waiting for a primary") from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise BrokerUnavailable(f"no answer from the broker at {where}: {error}") from error
    except redis.ResponseError as error:
        text = str(error)
        if text.startswith("NOAUTH") or "WRONGPASS" in text:
            raise BrokerRefused(f"the broker at {where} wants a password: put it into its address") from error
        if text.startswith(("OOM", "MISCONF", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")):
            raise BrokerUnavailable(f"the broker at {where} cannot write now: {text}") from error
        raise


def broker_version(client: Client) -> tuple[str, tuple[int, int]]:
    """(`Redis` or `Valkey`, (major, minor)) of the server behind `client`."""
    info = client.info("server")
    name = "Valkey" if "valkey_version" in info else "Redis"
    text = str(info.get("valkey_version") or info.get("redis_version") or "0.0")
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return name, (int(major or 0), int(minor or 0))


def check_broker(client: Client, where: str) -> str:
    """Reach the broker and check its version; returns e.g. `Valkey 9.1`.

    Raises BrokerUnavailable if it does not answer and BrokerRefused if it will not let us in or is too old.
    """
    with broker_errors(where):
        name, version = broker_version(client)
    oldest = OLDEST_VALKEY if name == "Valkey" else OLDEST_REDIS
    if version < oldest:
        raise BrokerRefused(
            f"the broker at {where} is {name} {version[0]}.{version[1]}; posebus needs Redis 7.0 or Valkey 8.0 or newer"
        )
    return f"{name} {version[0]}.{version[1]}"
