"""A client of one server: redis-py's own, but for transactions whose connection breaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from posebus.bus.redis.refusals import check_parameters
from posebus.config.redaction import redact_url
from posebus.errors import BrokerRefused

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 5.0
"""Longer than any blocking read, so that a silent broker is told from a quiet stream."""


class Client(redis.Redis):
    """What redis.Redis is, with our pipelines."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """As in redis.Redis."""
        return Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class Pipeline(redis.client.Pipeline):
    """redis-py says that a watched key changed also where the connection broke; here, that it broke.

    Otherwise a tracker would take a restart of the broker for a rival, and let go of its cameras.
    """

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """As in redis-py."""
        with _broken_told_from_changed():
            return super().execute(raise_on_error)

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """As in redis-py: what is sent at once, between WATCH and MULTI."""
        with _broken_told_from_changed():
            return super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]


@contextmanager
def _broken_told_from_changed() -> Iterator[None]:
    try:
        yield
    except redis.WatchError as error:
        cause = error.__context__
        if isinstance(cause, redis.ConnectionError | redis.TimeoutError):
            raise cause from None
        raise


def connect(url: str) -> Client:
    """A client for the server at `url`; connects lazily. Raises BrokerRefused for an address that makes no sense.

    Retries are the stage loop's business (it knows what to repeat), so redis-py's own are off; RESP2 keeps the shapes
    of stream replies the same in all versions of redis-py.
    """
    try:
        check_parameters(url)
        client = Client.from_url(
            url,
            protocol=2,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            health_check_interval=30,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise BrokerRefused(f"the broker address {redact_url(url)} cannot be used: {error}") from error
    return cast(Client, client)
