"""A client of one server: redis-py's own, except for transactions whose connection breaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from posebus.bus.redis.refusals import check_parameters
from posebus.config.redaction import redact_known, redact_url
from posebus.errors import BrokerRefused

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 5.0
"""Longer than any blocking read, so that an unreachable broker is not taken for an empty stream."""


class Client(redis.Redis):
    """redis.Redis with the pipelines of this module."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """A pipeline that tells a broken connection from a changed key."""
        return Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class Pipeline(redis.client.Pipeline):
    """A pipeline that raises ConnectionError or TimeoutError when the connection breaks between WATCH and EXEC.

    redis-py raises WatchError then, as if the key had changed, and a tracker would take a restart of the broker for a
    rival and give up its cameras.
    """

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send all queued commands and return their replies."""
        with _broken_connections_raised():
            return super().execute(raise_on_error)

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command at once, between WATCH and MULTI."""
        with _broken_connections_raised():
            return super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]


@contextmanager
def _broken_connections_raised() -> Iterator[None]:
    try:
        yield
    except redis.WatchError as error:
        cause = error.__context__
        if isinstance(cause, redis.ConnectionError | redis.TimeoutError):
            raise cause from None
        raise


def connect(url: str) -> Client:
    """A client for the server at `url`; it connects lazily. Raises BrokerRefused for an invalid address.

    redis-py's own retries are off, since the stage loop knows what to repeat. RESP2 keeps the shape of stream replies
    the same in all versions of redis-py.
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
    except (ValueError, OverflowError) as error:
        # Not chained: the error quotes parts of the address.
        problem = redact_known(str(error), url)
        raise BrokerRefused(f"the broker address {redact_url(url)} cannot be used: {problem}") from None
    return cast(Client, client)
