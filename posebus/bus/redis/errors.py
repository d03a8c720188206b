"""What redis-py raises, in our own words: each error says whether to wait for the broker or to stop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis import exceptions

from posebus.bus.redis.refusals import missing_right, tls_problem
from posebus.errors import BrokerRefused, BrokerUnavailable, FatalError, RetryableError

_PIPELINED = re.compile(r"Command # \d+ \(.*?\) of pipeline caused error: ", re.DOTALL)
"""What redis-py puts before an error inside a pipeline; the command in it may hold a picture."""

_LOGIN = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.AuthenticationWrongNumberOfArgsError,
)
_WAITING = {
    exceptions.OutOfMemoryError: "is full (maxmemory); free memory or raise the limit",
    exceptions.ReadOnlyError: "is a read-only replica; waiting for a primary",
    exceptions.BusyLoadingError: "is loading its data; waiting",
    exceptions.MasterDownError: "is a replica whose primary is away; waiting",
    exceptions.ClusterDownError: "is a cluster of which a part is down; waiting",
    exceptions.TryAgainError: "is a cluster that is moving these keys to another node; waiting",
    exceptions.AskError: "is a cluster that has moved these keys to another node; looking for it",
    exceptions.ClusterError: "is a cluster whose nodes point at each other; waiting",
    exceptions.NoScriptError: "has lost its scripts; sending them again",
    exceptions.WatchError: "got a change from somebody else at the same moment; trying again",
}
"""Subclasses stand before their bases."""
_WAITING_BY_CODE = {
    "OOM": "is full (maxmemory); free memory or raise the limit",
    "MISCONF": "cannot write to its disk; free space there, or see its log",
    "NOREPLICAS": "has too few replicas to accept writes; waiting for them",
    "LOADING": "is loading its data; waiting",
    "MASTERDOWN": "is a replica whose primary is away; waiting",
    "CLUSTERDOWN": "is a cluster of which a part is down; waiting",
    "TRYAGAIN": "is a cluster that is moving these keys to another node; waiting",
    "ASK": "is a cluster that has moved these keys to another node; looking for it",
    "MOVED": "is a cluster that has moved these keys to another node; looking for it",
    "BUSY": "is busy with somebody's script; waiting",
    "NOGROUP": "has lost the streams of a camera: it was removed, or the broker lost its memory",
    "UNBLOCKED": "has lost the streams of a camera: it was removed, or the broker lost its memory",
}
"""Answers for which redis-py, in some or all of its versions, has no class."""


@contextmanager
def broker_errors(where: str) -> Iterator[None]:
    """Raise BrokerUnavailable or BrokerRefused for what redis-py raises inside; `where` is a redacted address."""
    try:
        yield
    except redis.RedisError as error:
        said = in_our_words(error, where)
        if said is None:
            raise
        raise said from error


def in_our_words(error: redis.RedisError, where: str) -> RetryableError | FatalError | None:
    """The error that `error` of the broker at `where` is for us; None for one that only a bug of ours can cause."""
    text = answer(error)
    if isinstance(error, _LOGIN) or text.startswith(("NOAUTH", "WRONGPASS")):
        return BrokerRefused(f"the broker at {where} refused the login: {text}; check user and password in its address")
    if isinstance(error, exceptions.NoPermissionError) or "user executing the script can't" in text:
        return missing_right(where, error, text)
    for kind, told in _WAITING.items():
        if isinstance(error, kind):
            return BrokerUnavailable(f"the broker at {where} {told}")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        if problem := tls_problem(error):
            return BrokerRefused(f"no encrypted connection to the broker at {where}: {problem}")
        return BrokerUnavailable(f"no answer from the broker at {where}: {text}")
    if isinstance(error, exceptions.InvalidResponse):
        return BrokerUnavailable(f"what answers at {where} does not speak Redis' protocol: {text}")
    if not isinstance(error, redis.ResponseError):
        return None
    code = text.partition(" ")[0]
    if code in _WAITING_BY_CODE:
        return BrokerUnavailable(f"the broker at {where} {_WAITING_BY_CODE[code]}")
    if code == "WRONGTYPE":
        return BrokerRefused(
            f"the broker at {where} holds something else under a name that posebus uses; "
            "take another database (the number at the end of its address), or remove keys that begin with posebus:"
        )
    return BrokerRefused(f"the broker at {where} cannot do what posebus needs: {text}")


def answer(error: BaseException) -> str:
    """What the broker said, or what happened to the connection, without the command that it was about."""
    return _PIPELINED.sub("", str(error)).strip() or type(error).__name__
