"""Each error of redis-py becomes an error of posebus that says in one sentence whether to wait or to stop."""

from __future__ import annotations

import pytest
import redis
from redis import exceptions
from redis._parsers.base import BaseParser

from posebus.bus.redis.connection import open_broker
from posebus.bus.redis.errors import broker_errors
from posebus.errors import BrokerRefused, BrokerUnavailable

WAITED_FOR = {
    "ERR no such key": "has lost the streams of a camera",
    "ERR The XGROUP subcommand requires the key to exist. Note that …": "has lost the streams of a camera",
    "OOM command not allowed when used memory > 'maxmemory'.": "is full (maxmemory)",
    "READONLY You can't write against a read only replica.": "is a read-only replica",
    "LOADING Redis is loading the dataset in memory": "is loading its data",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": "whose primary is away",
    "CLUSTERDOWN The cluster is down": "a part is down",
    "CLUSTERDOWN Hash slot not served": "a part is down",
    "TRYAGAIN Multiple keys request during rehashing of slot": "is moving these keys",
    "MOVED 3999 127.0.0.1:6381": "has moved these keys",
    "ASK 3999 127.0.0.1:6381": "has moved these keys",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.": "to its disk",
    "NOREPLICAS Not enough good replicas to write.": "has too few replicas",
    "BUSY Redis is busy running a script.": "is busy with a script of another program",
    "NOSCRIPT No matching script.": "has lost its scripts",
    "NOGROUP No such key 'x' or consumer group 'y'": "has lost the streams of a camera",
    "UNBLOCKED the stream key no longer exists": "has lost the streams of a camera",
    "ERR max number of clients reached": "max number of clients reached",
}
REFUSED = {
    "WRONGPASS invalid username-password pair or user is disabled.": "check user and password",
    "NOAUTH Authentication required.": "check user and password",
    "ERR AUTH <password> called without any password configured for the default user. "
    "Are you sure your configuration is correct?": "check user and password",
    "ERR wrong number of arguments for 'auth' command": "check user and password",
    "NOPERM this user has no permissions to run the 'xadd' command": "give this one the right in the broker's ACL file",
    "WRONGTYPE Operation against a key holding the wrong kind of value": "holds something else",
    "ERR unknown command 'XAUTOCLAIM'": "cannot do what posebus needs: unknown command",
    "ERR SELECT is not allowed in cluster mode": "cannot do what posebus needs: SELECT is not allowed",
}
BROKEN = [
    redis.ConnectionError("Connection closed by server."),
    redis.TimeoutError("Timeout reading from socket"),
    exceptions.MaxConnectionsError("Too many connections"),
    exceptions.InvalidResponse("Protocol Error: b'HTTP/1.1'"),
    exceptions.ClusterError("TTL exhausted."),
    redis.WatchError("Watched variable changed."),
]


@pytest.mark.parametrize(
    ("url", "reason"),
    [("redis://127.0.0.1:1", "connection refused"), ("unix:///no/such/socket", "there is no such socket")],
)
def test_where_no_broker_runs_the_error_asks_for_posebus_up(url: str, reason: str) -> None:
    with pytest.raises(BrokerUnavailable, match=f"{reason}; is 'posebus up' or another broker running there"):
        open_broker(url)


def error_for(answer: str, *, in_a_pipeline: bool) -> Exception:
    """The error that redis-py raises for the broker's `answer`."""
    error: Exception = BaseParser.parse_error(answer)
    if in_a_pipeline:
        error.args = (
            f"Command # 3 (XADD posebus:{{0}}:frames:door data \xff\n) (…) of pipeline caused error: {error}",
        )
    return error


@pytest.mark.parametrize("in_a_pipeline", [False, True])
@pytest.mark.parametrize(("answer", "expected"), WAITED_FOR.items())
def test_an_answer_of_a_broker_that_recovers_is_retried(answer: str, expected: str, in_a_pipeline: bool) -> None:
    error = error_for(answer, in_a_pipeline=in_a_pipeline)
    with pytest.raises(BrokerUnavailable) as caught, broker_errors("redis://here"):
        raise error
    assert expected in str(caught.value)
    assert "redis://here" in str(caught.value)
    assert "XADD" not in str(caught.value)


@pytest.mark.parametrize("in_a_pipeline", [False, True])
@pytest.mark.parametrize(("answer", "expected"), REFUSED.items())
def test_an_answer_that_no_waiting_changes_is_fatal(answer: str, expected: str, in_a_pipeline: bool) -> None:
    error = error_for(answer, in_a_pipeline=in_a_pipeline)
    with pytest.raises(BrokerRefused) as caught, broker_errors("redis://here"):
        raise error
    assert expected in str(caught.value).replace("needs: ERR ", "needs: ")
    assert "door data" not in str(caught.value), "the picture"


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_broken_connection_is_retried(error: Exception) -> None:
    with pytest.raises(BrokerUnavailable, match="redis://here"), broker_errors("redis://here"):
        raise error


def test_errors_that_the_broker_did_not_cause_pass_through() -> None:
    with pytest.raises(exceptions.DataError), broker_errors("redis://here"):
        raise exceptions.DataError("Invalid input of type: 'dict'.")
    with pytest.raises(KeyError), broker_errors("redis://here"):
        raise KeyError("camera")
