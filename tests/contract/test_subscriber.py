"""Subscriptions as users write them, against real brokers."""

from __future__ import annotations

import asyncio
import itertools
import json
import select
import subprocess
import sys
from pathlib import Path

import pytest

import posebus
from posebus.bus.lease import Lease
from posebus.bus.pose_consumer import PoseConsumer, TrackCommit
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.errors import BrokerUnavailable
from posebus.messages import Delivery
from posebus.runtime.embedded import EmbeddedBroker
from posebus.subscribing.subscriber import SILENCE_S
from posebus.topology import Topology
from tests.contract.conftest import client_of
from tests.samples import PROVENANCE, event, track_frame

TOPOLOGY = Topology()
EXAMPLES = Path(__file__).parents[2] / "examples"


def publish(url: str, seqs: range, camera: str = "door") -> None:
    broker = open_broker(url)
    Registry(broker).add_camera(CameraRecord(camera, Delivery.LOSSLESS, "file"))
    lease = Lease(broker, camera, "tracker", "t", 5.0)
    lease.acquire()
    tracker = PoseConsumer(broker, "t", RetentionSettings())
    for seq in seqs:
        commit = TrackCommit(camera, [(track_frame(seq, camera), PROVENANCE)], [event(seq, camera)], b"", [])
        tracker.commit(commit, lease)
    lease.release()


def take(subscription: posebus.Subscription, count: int) -> list[posebus.Message]:
    return list(itertools.islice(iter(subscription), count))


def seqs(messages: list[posebus.Message], kind: str = "tracks") -> list[int]:
    return [message.body.seq for message in messages if message.kind == kind]


def test_messages_have_typed_and_complete_bodies(real_url: str) -> None:
    publish(real_url, range(1))
    with posebus.subscribe(real_url, after="start") as subscription:
        messages = {message.kind: message for message in take(subscription, 2)}
    frame = messages["tracks"].body
    assert isinstance(frame, posebus.TrackFrame)
    assert [track.id for track in frame.tracks] == [1, 2]
    sent = track_frame(0).tracks[0]
    assert frame.tracks[0].box_xyxy_px == pytest.approx(sent.box_xyxy_px, abs=0.006)
    assert frame.tracks[0].velocity_px_s == pytest.approx(sent.velocity_px_s, abs=0.006)
    assert frame.tracks[0].keypoint_visibility == pytest.approx(sent.keypoint_visibility)
    assert (frame.tracks[0].pose_index, frame.tracks[1].pose_index) == (0, 1)
    assert messages["tracks"].provenance is not None
    assert messages["tracks"].provenance.frame_published_at_ns == PROVENANCE.frame_published_at_ns
    assert messages["events"].body == event(0)


def test_cursor_resumes_behind_the_last_message(real_url: str) -> None:
    publish(real_url, range(5))
    with posebus.subscribe(real_url, kinds=["tracks"], after="start") as subscription:
        messages = iter(subscription)
        assert [next(messages).body.seq, next(messages).body.seq] == [0, 1]
        cursor = subscription.cursor
    with posebus.subscribe(real_url, kinds=["tracks"], after=cursor) as subscription:
        assert seqs(take(subscription, 3)) == [2, 3, 4]


def test_now_skips_earlier_messages_but_not_those_of_a_camera_added_later(real_url: str) -> None:
    publish(real_url, range(3))
    with posebus.subscribe(real_url, kinds=["tracks"]) as subscription:
        publish(real_url, range(3, 4))
        publish(real_url, range(2), camera="yard")
        found = [(message.camera, message.body.seq) for message in take(subscription, 3)]
    assert sorted(found) == [("door", 3), ("yard", 0), ("yard", 1)]


def test_only_messages_of_the_selected_cameras_are_delivered(real_url: str) -> None:
    publish(real_url, range(2))
    publish(real_url, range(2), camera="yard")
    with posebus.subscribe(real_url, cameras=["yard"], after="start") as subscription:
        assert {message.camera for message in take(subscription, 4)} == {"yard"}


def test_group_shares_messages_and_keeps_its_position(real_url: str) -> None:
    publish(real_url, range(6))
    with posebus.subscribe(real_url, kinds=["tracks"], after="start", group="alarms", consumer="a") as first:
        got = [message.body.seq for message in itertools.islice(first.poll(), 2)]
        for message in take(first, 0):
            first.acknowledge(message)
    assert got == [0, 1]
    publish(real_url, range(6, 8))
    with posebus.subscribe(real_url, kinds=["tracks"], after="start", group="alarms", consumer="b") as second:
        assert seqs(take(second, 2)) == [6, 7]


def test_unacknowledged_messages_of_a_crashed_consumer_are_delivered_again(
    real_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(real_url, range(2))
    with posebus.subscribe(real_url, kinds=["tracks"], after="start", group="g", consumer="crashed") as first:
        messages = first.poll()
        first.acknowledge(next(messages))
        next(messages)
    monkeypatch.setattr("posebus.subscribing.subscriber.RECLAIM_S", 0.01)
    with posebus.subscribe(real_url, kinds=["tracks"], after="start", group="g", consumer="heir") as second:
        assert seqs(take(second, 1)) == [1]


def test_asyncio_subscription_delivers_the_same_messages(real_url: str) -> None:
    publish(real_url, range(4))

    async def collect() -> tuple[list[int], str | None]:
        found: list[int] = []
        async with posebus.subscribe_async(real_url, kinds=["tracks"], after="start") as subscription:
            async for message in subscription:
                found.append(message.body.seq)
                if len(found) == 2:
                    return found, subscription.cursor
        raise AssertionError

    found, cursor = asyncio.run(collect())
    assert found == [0, 1]
    with posebus.subscribe(real_url, kinds=["tracks"], after=str(cursor)) as subscription:
        assert seqs(take(subscription, 2)) == [2, 3]


def test_foreign_entry_is_skipped(real_url: str) -> None:
    publish(real_url, range(1))
    client_of(real_url).xadd(TOPOLOGY.tracks("door"), {"data": "no json"})
    publish(real_url, range(1, 2))
    with posebus.subscribe(real_url, kinds=["tracks"], after="start") as subscription:
        assert seqs(take(subscription, 2)) == [0, 1]


def test_messages_of_the_previous_release_are_decoded(real_url: str) -> None:
    """A broker keeps its streams during an update, and trackers are updated one after the other."""
    publish(real_url, range(1))
    client = client_of(real_url)
    (entry,) = client.xrange(TOPOLOGY.tracks("door"))
    data = json.loads(entry[1][b"data"])
    for track in data["tracks"]:
        for name in ("velocity_px_s", "keypoint_visibility", "pose_index", "coasted"):
            del track[name]
    client.xadd(TOPOLOGY.tracks("door"), {**entry[1], b"data": json.dumps({**data, "seq": 1})})
    with posebus.subscribe(real_url, kinds=["tracks"], after="start") as subscription:
        new, old = (message.body for message in take(subscription, 2))
    assert isinstance(new, posebus.TrackFrame)
    assert isinstance(old, posebus.TrackFrame)
    assert [track.id for track in old.tracks] == [track.id for track in new.tracks]
    assert {(t.pose_index, t.keypoint_visibility, t.coasted, *t.velocity_px_s) for t in old.tracks} == {
        (None, None, False, 0, 0)
    }


def test_invalid_arguments_are_refused_with_a_reason(real_url: str) -> None:
    with pytest.raises(ValueError, match="unknown kind frames"):
        posebus.subscribe(real_url, kinds=["frames"])
    with pytest.raises(ValueError, match="not the text"):
        posebus.subscribe(real_url, cameras="door")
    with pytest.raises(ValueError, match="cursor"):
        posebus.subscribe(real_url, after="yesterday")
    with pytest.raises(ValueError, match=r"has a \* before its end"):
        posebus.subscribe(real_url, types=["posebus.*.detected"])
    with pytest.raises(ValueError, match="is a time in the future"):
        posebus.subscribe(real_url, after="2999-01-01")
    with pytest.raises(TypeError, match="unknown argument typs: filters are types, rules and tracks"):
        posebus.subscribe(real_url, typs=["posebus.*"])  # type: ignore[call-arg]
    with pytest.raises(posebus.BrokerUnavailable, match="no answer from the broker"):
        posebus.subscribe("redis://user:secret@127.0.0.1:1/0")
    with pytest.raises(posebus.BrokerRefused, match="cannot be used"):
        posebus.subscribe("http://127.0.0.1")


def test_without_an_address_the_environment_names_the_broker(real_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(real_url, range(1))
    monkeypatch.setenv("POSEBUS_REDIS", real_url)
    with posebus.subscribe(kinds=["tracks"], after="start") as subscription:
        assert seqs(take(subscription, 1)) == [0]


def test_error_message_hides_the_password() -> None:
    with pytest.raises(BrokerUnavailable) as caught:
        posebus.subscribe("redis://user:secret@127.0.0.1:1/0")
    assert "secret" not in str(caught.value)


def test_outage_of_the_broker_is_raised_only_after_the_limit() -> None:
    with EmbeddedBroker() as url:
        publish(url, range(1))
        subscription = posebus.subscribe(url, kinds=["tracks"], after="start", outage_limit_s=0.3)
        assert seqs(take(subscription, 1)) == [0]
    with pytest.raises(BrokerUnavailable, match="no answer from the broker"):
        take(subscription, 1)


def test_examples_print_events_and_counts(real_url: str) -> None:
    publish(real_url, range(2))
    alarm = subprocess.Popen(
        [sys.executable, "-u", EXAMPLES / "alarm.py", real_url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    count = subprocess.Popen(
        [sys.executable, "-u", EXAMPLES / "count_people.py", real_url], stdout=subprocess.PIPE, text=True
    )
    try:
        assert alarm.stdout is not None
        assert alarm.stdout.readline() == "00:00:00 door: person 7 appeared\n"
        assert count.stdout is not None
        seq = itertools.count(2)
        poll = select.poll()
        poll.register(count.stdout, select.POLLIN)
        while not poll.poll(100):  # it receives only new messages, and takes a moment to start
            first = next(seq)
            publish(real_url, range(first, first + 1))
        assert count.stdout.readline() == "{'door': 2}\n"
    finally:
        for process in (alarm, count):
            process.kill()
            process.communicate()


def test_a_cursor_beyond_the_end_of_a_stream_that_began_anew_reads_it_from_its_beginning(real_url: str) -> None:
    """The broker lost its memory, and its clock gives lower ids than before."""
    publish(real_url, range(2))
    cursor = json.dumps({TOPOLOGY.tracks("door"): "9999999999999-0"})
    with posebus.subscribe(real_url, kinds=["tracks"], after=cursor) as subscription:
        assert list(subscription.poll(0.01)) == []
        subscription._heard_at_s -= SILENCE_S
        assert list(subscription.poll(0.01)) == []
        assert seqs(take(subscription, 2)) == [0, 1]
        assert list(subscription.poll(0.01)) == []
