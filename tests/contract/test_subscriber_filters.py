"""Subscriptions with filters, and from a time on, as users write them, against real brokers."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

import posebus
from posebus.bus.lease import Lease
from posebus.bus.pose_consumer import PoseConsumer, TrackCommit
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.messages import Delivery
from posebus.topology import Topology
from posebus_cli.app import app
from tests.contract.conftest import client_of
from tests.samples import PROVENANCE, event, track_frame

TOPOLOGY = Topology()
TYPES = ("posebus.zone.entered", "posebus.zone.left", "posebus.fall.detected")
RULES = ("till", "till", "floor")


def publish(url: str, seqs: range, camera: str = "door") -> None:
    """Frames with the tracks 1 and 2, and with each an event of each of TYPES, about track 7, 8 and 9."""
    broker = open_broker(url)
    Registry(broker).add_camera(CameraRecord(camera, Delivery.LOSSLESS, "file"))
    lease = Lease(broker, camera, "tracker", "t", 5.0)
    lease.acquire()
    tracker = PoseConsumer(broker, "t", RetentionSettings())
    tracker.state(camera)  # it counts what the stream holds already
    for seq in seqs:
        events = [
            replace(event(seq, camera, kind), data={"rule": rule, "track_id": 7 + number, "since_ns": 1})
            for number, (kind, rule) in enumerate(zip(TYPES, RULES, strict=True))
        ]
        tracker.commit(TrackCommit(camera, [(track_frame(seq, camera), PROVENANCE)], events, b"", []), lease)
    lease.release()


def take(subscription: posebus.Subscription, count: int) -> list[posebus.Message]:
    return list(itertools.islice(iter(subscription), count))


def types_and_seqs(messages: Sequence[posebus.Message]) -> list[tuple[str, int]]:
    return [(one.body.type if isinstance(one.body, posebus.Event) else one.kind, one.body.seq) for one in messages]


def test_types_and_rules_choose_among_events(real_url: str) -> None:
    publish(real_url, range(2))
    with posebus.subscribe(real_url, after="start", types=["posebus.fall.*"]) as falls:
        assert types_and_seqs(take(falls, 2)) == [(TYPES[2], 0), (TYPES[2], 1)]
    with posebus.subscribe(real_url, after="start", rules=["till"], cameras=["door"]) as till:
        assert types_and_seqs(take(till, 4)) == [(kind, seq) for seq in range(2) for kind in TYPES[:2]]
        assert list(till.poll(0.01)) == []


def test_tracks_narrow_frames_and_events(real_url: str) -> None:
    publish(real_url, range(2))
    with posebus.subscribe(real_url, after="start", tracks=[2, 9]) as subscription:
        found = take(subscription, 4)
    frames = [one.body for one in found if isinstance(one.body, posebus.TrackFrame)]
    assert [[track.id for track in frame.tracks] for frame in frames] == [[2], [2]]
    assert [one.body.type for one in found if isinstance(one.body, posebus.Event)] == [TYPES[2]] * 2


def test_unwanted_entries_of_a_group_are_acknowledged(real_url: str) -> None:
    publish(real_url, range(3))
    only = {"after": "start", "group": "falls", "types": ["posebus.fall.detected"]}
    with posebus.subscribe(real_url, consumer="a", **only) as first:  # type: ignore[arg-type]
        for message in list(first.poll()):
            first.acknowledge(message)
    assert client_of(real_url).xpending(TOPOLOGY.events(0), "falls")["pending"] == 0
    publish(real_url, range(3, 4))
    with posebus.subscribe(real_url, consumer="b", **only) as second:  # type: ignore[arg-type]
        assert types_and_seqs(take(second, 1)) == [(TYPES[2], 3)]


def entry_times_ms(url: str, stream: str) -> list[int]:
    entries: Any = client_of(url).xrange(stream)
    return [int(entry_id.partition(b"-")[0]) for entry_id, _ in entries]


def wait_for_another_millisecond(url: str, stream: str) -> None:
    """Wait until the broker's clock is past the newest entry of `stream`."""
    newest_ms = entry_times_ms(url, stream)[-1]
    client = client_of(url)
    while True:
        probe: Any = client.xadd("posebus:{0}:probe", {"a": "b"})
        if int(probe.partition(b"-")[0]) > newest_ms:
            return


@pytest.mark.parametrize("group", [None, "replay"])
def test_replay_from_a_time_begins_with_the_messages_of_that_time(real_url: str, group: str | None) -> None:
    stream = TOPOLOGY.tracks("door")
    publish(real_url, range(2))
    wait_for_another_millisecond(real_url, stream)
    publish(real_url, range(2, 4))
    third_ms = entry_times_ms(real_url, stream)[2]
    at = datetime.fromtimestamp(third_ms / 1000, UTC)
    for after in (at, at.isoformat(), at.isoformat().replace("+00:00", "Z")):
        name = None if group is None else f"{group}-{after}"
        with posebus.subscribe(real_url, kinds=["tracks"], after=after, group=name) as subscription:
            assert [one.body.seq for one in take(subscription, 2)] == [2, 3]


def test_a_time_after_the_last_message_gives_new_messages_alone(real_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a silence, at whose end streams are read anew that have begun below the position."""
    publish(real_url, range(2))
    wait_for_another_millisecond(real_url, TOPOLOGY.tracks("door"))
    monkeypatch.setattr("posebus.subscribing.subscriber.SILENCE_S", 0.0)
    with posebus.subscribe(real_url, kinds=["tracks"], after=datetime.now(UTC)) as subscription:
        assert list(subscription.poll(0.01)) == []
        assert list(subscription.poll(0.01)) == []
        publish(real_url, range(2, 3))
        assert [one.body.seq for one in take(subscription, 1)] == [2]


def test_the_asyncio_twin_has_the_same_filters(real_url: str) -> None:
    publish(real_url, range(3))

    async def collect() -> list[int]:
        after = datetime.fromtimestamp(0, UTC)
        async with posebus.subscribe_async(real_url, after=after, rules=["floor"], tracks=[9]) as subscription:
            found = []
            async for message in subscription:
                found.append(message.body.seq)
                if len(found) == 3:
                    break
            return found

    assert asyncio.run(collect()) == [0, 1, 2]


def test_watch_has_the_same_options(real_url: str) -> None:
    publish(real_url, range(2))
    options = ["watch", "--redis", real_url, "--after", "1970-01-02T00:00:00Z", "--json", "-n", "2"]

    def watched(*more: str) -> list[dict[str, Any]]:
        done = CliRunner().invoke(app, [*options, *more])
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert [one["type"] for one in watched("--type", "posebus.zone.*", "--rule", "till")] == list(TYPES[:2])
    assert [one["type"] for one in watched("--rule", "floor")] == [TYPES[2]] * 2
    assert [[track["id"] for track in one["tracks"]] for one in watched("--track", "2")] == [[2], [2]]
    wrong = CliRunner().invoke(app, [*options, "--kind", "tracks", "--rule", "till"])
    assert wrong.exit_code != 0
