"""Webhooks with a receiver that is down, flapping, slow or failing, and a process that is killed: all arrive, once."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from posebus.bus.redis.connection import Broker, open_broker
from posebus.config.sinks import SinkSettings
from posebus.messages import Event
from tests.conftest import start_redis_server
from tests.deliveries import SinkProcess, empty_broker, event, publish, record_of, records
from tests.polling import wait_until
from tests.webhook_receiver import Receiver, Reply, Request

TRACKS = 6


@pytest.fixture
def broker(redis_server: str) -> Iterator[Broker]:
    with empty_broker(redis_server) as broker:
        yield broker


def hook(receiver: Receiver, **options: object) -> SinkSettings:
    return SinkSettings(sink="webhook", after="start", options={"url": receiver.url, **options})


def batch(first: int, number: int) -> list[Event]:
    """Events of several tracks, in the order of frames."""
    return [event(seq, track) for seq in range(first, first + number) for track in range(1, TRACKS + 1)]


def assert_in_order(receiver: Receiver) -> None:
    """The events of each track were accepted in their order."""
    of_track: dict[int, list[int]] = defaultdict(list)
    for request in receiver.accepted:
        of_track[request.event["data"]["track_id"]].append(request.event["data"]["seq"])
    assert len(of_track) == TRACKS
    for seqs in of_track.values():
        assert seqs == sorted(seqs)


def wait_for(receiver: Receiver, events: list[Event], sink: SinkProcess) -> None:
    wanted = {one.id for one in events}
    wait_until(lambda: wanted <= set(receiver.ids()), lambda: f"{len(receiver.ids())} of {len(wanted)}: {sink.log()}")


def test_a_receiver_that_fails_in_every_way_gets_each_event_once_and_in_order(
    redis_server: str, broker: Broker, tmp_path: Path, thorough: bool
) -> None:
    outage_s = 60.0 if thorough else 2.0
    with Receiver() as receiver, SinkProcess(tmp_path, redis_server, "hook", hook(receiver)) as sink:
        events = batch(0, 5)
        publish(broker, events)
        wait_for(receiver, events, sink)

        receiver.down()
        later = batch(5, 10)
        publish(broker, later)
        waiting = later[0].id
        wait_until(lambda: record_of(broker, "hook", waiting).get("state") == "waiting", sink.log)
        assert "cannot be reached" in record_of(broker, "hook", waiting)["why"]
        time.sleep(outage_s)
        receiver.up()
        events += later
        wait_for(receiver, events, sink)

        # Every first attempt fails, and every second one is slow.
        receiver.answer = lambda request: Reply(500) if request.number == 1 else Reply(200, delay_s=0.05)
        later = batch(15, 5)
        publish(broker, later)
        events += later
        wait_for(receiver, events, sink)

        receiver.answer = lambda request: Reply(delay_s=0.02)
        for first in range(20, 44, 4):
            later = batch(first, 4)
            publish(broker, later)
            events += later
            receiver.down()
            time.sleep(0.2)
            receiver.up()
            time.sleep(0.2)
        publish(broker, events[-60:])  # entries that are in the stream twice
        wait_for(receiver, events, sink)
        stream = broker.topology.events(0)
        wait_until(lambda: broker.client.xpending(stream, "sink-hook")["pending"] == 0, sink.log)

        # A stop waits for the answers to what was sent, and nothing more is sent.
        receiver.answer = lambda request: Reply(delay_s=1.0)
        sent, before = batch(44, 2), len(receiver.requests)
        publish(broker, sent)
        wait_until(lambda: len(receiver.requests) == before + TRACKS, sink.log)
        assert sink.stop() == 0
        assert len(receiver.requests) == before + TRACKS
        events += sent[:TRACKS]
    assert receiver.twice() == {}
    assert_in_order(receiver)
    found = records(broker, "hook")
    assert {one.id for one in events} == set(found)
    assert {one["state"] for one in found.values()} == {"delivered"}
    assert "Traceback" not in sink.log()


def test_a_killed_process_sends_nothing_again_that_was_recorded_and_loses_nothing(
    redis_server: str, broker: Broker, tmp_path: Path, thorough: bool
) -> None:
    kills = 12 if thorough else 2
    recorded: set[str] = set()
    again: set[str] = set()

    def answer(request: Request) -> Reply:
        if request.event_id in recorded:
            again.add(request.event_id)
        return Reply(delay_s=0.01)

    events = batch(0, 60)
    with Receiver(answer) as receiver, SinkProcess(tmp_path, redis_server, "hook", hook(receiver)) as sink:
        publish(broker, events)
        for kill in range(1, kills + 1):
            wait_until(lambda wanted=kill * 28: len(set(receiver.ids())) >= wanted, sink.log)
            sink.kill()
            recorded |= {event_id for event_id, one in records(broker, "hook").items() if one["state"] == "delivered"}
            sink.start()
        wait_for(receiver, events, sink)
        wait_until(lambda: broker.client.xpending(broker.topology.events(0), "sink-hook")["pending"] == 0, sink.log)
    assert again == set()
    # What was on its way at a kill has no record, and comes again with the same id: at most one of each track.
    assert len(receiver.twice()) <= TRACKS * kills
    assert_in_order(receiver)


def test_a_broker_that_is_away_for_a_while_makes_nothing_come_twice(tmp_path: Path) -> None:
    port_file = tmp_path / "redis"
    port_file.mkdir()
    program, url = start_redis_server("redis-server", port_file, "--appendonly", "yes", "--appendfsync", "always")
    broker = open_broker(url)
    with Receiver(lambda request: Reply(delay_s=0.05)) as receiver:
        with SinkProcess(tmp_path, url, "hook", hook(receiver)) as sink:
            publish(broker, batch(0, 10))
            wait_until(lambda: len(receiver.ids()) >= 12, sink.log)
            program.kill()
            program.wait()
            port = url.rpartition(":")[2].partition("/")[0]
            place = ["--port", port, "--bind", "127.0.0.1", "--dir", str(port_file), "--save", ""]
            program = subprocess.Popen(
                ["redis-server", *place, "--appendonly", "yes", "--logfile", str(port_file / "log2")]
            )
            wait_for(receiver, batch(0, 10), sink)
        program.terminate()
        program.wait()
    assert receiver.twice() == {}
    assert_in_order(receiver)
