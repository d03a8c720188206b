"""Refusals of a broker, and the reaction: wait, or stop with a sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from posebus.bus.frame_producer import FrameProducer
from posebus.bus.redis.connection import broker_version, check_broker, open_broker
from posebus.bus.registry import CameraRecord
from posebus.errors import BrokerRefused, BrokerUnavailable
from posebus.messages import Delivery
from tests.conftest import missing, start_redis_server
from tests.contract.conftest import client_of
from tests.samples import frame, held_writer

Start = Callable[..., str]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a redis-server with further options and returns its address."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server is not installed (on Debian: apt install redis-server)")
    processes = []

    def begin(*options: str) -> str:
        process, url = start_redis_server(str(program), tmp_path, *options)
        processes.append(process)
        return url

    yield begin
    for process in processes:
        process.terminate()
        process.wait()


def with_password(url: str, password: str) -> str:
    return url.replace("redis://", f"redis://:{password}@")


def publish_many(writer: FrameProducer) -> None:
    for seq in range(100):
        writer.publish(frame(seq, data=bytes(100_000)))


def test_the_version_is_told_for_both_kinds(real_url: str) -> None:
    name, version = broker_version(client_of(real_url))
    assert (name, version >= (7, 0)) in {("Redis", True), ("Valkey", True)}
    assert check_broker(client_of(real_url), "here").startswith(name)


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({"redis_version": "6.2.14"}, "Redis 6.2"),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, "Valkey 7.2"),
        ({}, "Redis 0.0"),
    ],
)
def test_a_broker_that_is_too_old_is_refused(
    real_url: str, monkeypatch: pytest.MonkeyPatch, info: dict[str, str], found: str
) -> None:
    client = client_of(real_url)
    monkeypatch.setattr(type(client), "info", lambda self, section: info)
    with pytest.raises(
        BrokerRefused, match=f"the broker at redis://here is {found}; posebus needs Redis 7.0 or Valkey"
    ):
        check_broker(client, "redis://here")


def test_a_missing_and_a_wrong_password_are_fatal(start: Start) -> None:
    url = start("--requirepass", "right")
    with pytest.raises(BrokerRefused, match="check user and password in its address"):
        open_broker(url)
    with pytest.raises(BrokerRefused) as caught:
        open_broker(with_password(url, "wr0ng"))
    assert "wr0ng" not in str(caught.value)
    assert open_broker(with_password(url, "right")).client.ping()


def test_a_full_broker_is_waited_for(start: Start) -> None:
    url = start("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    broker = open_broker(url)
    writer = held_writer(broker, CameraRecord("door", Delivery.LOSSLESS, "file"))
    with pytest.raises(BrokerUnavailable, match=r"is full \(maxmemory\)"):
        publish_many(writer)
    broker.client.config_set("maxmemory", "100mb")
    assert writer.publish(frame(99)).frames > 0


def test_a_read_only_replica_is_waited_for(start: Start) -> None:
    primary = start()
    port = primary.rsplit(":", 1)[1].partition("/")[0]
    replica = open_broker(start("--replicaof", "127.0.0.1", port))
    with pytest.raises(BrokerUnavailable, match=r"read-only replica|cannot write now|no answer"):
        held_writer(replica, CameraRecord("door", Delivery.LIVE, "network"))


def test_a_cut_connection_is_opened_again_and_an_absent_broker_is_unavailable(start: Start) -> None:
    broker = open_broker(start())
    broker.client.client_kill_filter(skipme=False)
    with broker.errors():
        assert broker.client.ping()
    broker.client.shutdown(nosave=True)
    with pytest.raises(BrokerUnavailable, match="no answer from the broker"), broker.errors():
        broker.client.ping()
