"""Translates redis-py's errors: the class of the result says whether to wait for the broker or to stop."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis import exceptions

from posebus.bus.redis.refusals import missing_right, tls_problem
from posebus.errors import BrokerRefused, BrokerUnavailable, FatalError, RetryableError

_PIPELINED = re.compile(r"Command # \d+ \(.*?\) of pipeline caused error: ", re.DOTALL)
"""The text that redis-py puts before an error inside a pipeline; the command in it may hold an image."""

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
    exceptions.WatchError: "got a change from another process at the same moment; trying again",
}
"""Subclasses come before their base classes."""
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
    "BUSY": "is busy with a script of another program; waiting",
    "NOGROUP": "has lost the streams of a camera: it was removed, or the broker lost its memory",
    "UNBLOCKED": "has lost the streams of a camera: it was removed, or the broker lost its memory",
}
"""Answers for which some or all versions of redis-py have no class."""
_GONE = ("no such key", "requires the key to exist")
"""Parts of answers to a question about a stream that does not exist; their code is no more than ERR."""


@contextmanager
def broker_errors(where: str) -> Iterator[None]:
    """Turn errors of redis-py inside into BrokerUnavailable or BrokerRefused; `where` is a redacted address."""
    try:
        yield
    except redis.RedisError as error:
        translated = translate(error, where)
        if translated is None:
            raise
        raise translated from error


def translate(error: redis.RedisError, where: str) -> RetryableError | FatalError | None:
    """The error of posebus for `error` of the broker at `where`; None for one that only a bug of posebus can cause."""
    text = answer(error)
    if isinstance(error, _LOGIN) or text.startswith(("NOAUTH", "WRONGPASS")):
        return BrokerRefused(
            f"the broker at {where} refused the login ({text.rstrip('.')}); check user and password in its address"
        )
    if isinstance(error, exceptions.NoPermissionError) or "user executing the script can't" in text:
        return missing_right(where, error, text)
    for kind, state in _WAITING.items():
        if isinstance(error, kind):
            return BrokerUnavailable(f"the broker at {where} {state}")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        if problem := tls_problem(error):
            return BrokerRefused(f"no encrypted connection to the broker at {where}: {problem}")
        if reason := _nothing_listens(error, where):
            return BrokerUnavailable(
                f"no answer from the broker at {where}: {reason}; is 'posebus up' or another broker running there?"
            )
        return BrokerUnavailable(f"no answer from the broker at {where}: {text}")
    if isinstance(error, exceptions.InvalidResponse):
        return BrokerUnavailable(f"the server at {where} does not use the Redis protocol: {text}")
    if not isinstance(error, redis.ResponseError):
        return None
    code = "NOGROUP" if any(part in text for part in _GONE) else text.partition(" ")[0]
    if code in _WAITING_BY_CODE:
        return BrokerUnavailable(f"the broker at {where} {_WAITING_BY_CODE[code]}")
    if code == "WRONGTYPE":
        return BrokerRefused(
            f"the broker at {where} holds something else under a name that posebus uses; "
            "take another database (the number at the end of its address), or remove keys that begin with posebus:"
        )
    return BrokerRefused(f"the broker at {where} cannot do what posebus needs: {text}")


def group_is_missing(error: redis.RedisError) -> bool:
    """Whether a stream or its consumer group does not exist: the camera was removed, or the broker lost its memory."""
    # UNBLOCKED: the stream was deleted while a read was waiting for it.
    return answer(error).startswith(("NOGROUP", "UNBLOCKED"))


def _nothing_listens(error: BaseException, where: str) -> str | None:
    """Return in words that no server has opened the port or the socket; None if something else failed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return "connection refused"
        # Elsewhere, the file that is missing may be that of a certificate.
        if isinstance(cause, OSError) and cause.errno == errno.ENOENT and where.startswith("unix:"):
            return "there is no such socket"
        cause = cause.__cause__ or cause.__context__
    return None


def answer(error: BaseException) -> str:
    """The text of the broker's answer or of the connection's failure, without the command."""
    return _PIPELINED.sub("", str(error)).strip() or type(error).__name__
