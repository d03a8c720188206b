"""A sink gets each message at least once and in order, and errors are sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import fakeredis
import pytest
import samples

from posebus.bus.redis.connection import Broker
from posebus.config.settings import Settings
from posebus.config.sinks import SinkSettings
from posebus.contract.public_json import dump, track_frame_to_json
from posebus.errors import ConfigError, OutputError, SinkFailed
from posebus.messages import TrackFrame
from posebus.sinks import SinkContext, SinkSpec, registry
from posebus.sinks.base import Sender, Sink
from posebus.sinks.delivering.inbox import Inbox
from posebus.sinks.delivering.records import Records
from posebus.sinks.registry import open_sink, sink_settings
from posebus.sinks.stage import SinkStage
from posebus.subscribing.filters import MessageFilter
from posebus.subscribing.subscriber import Subscription
from posebus.subscribing.subscription import Message, StreamSelection
from posebus.topology import Topology


@pytest.fixture
def broker() -> Broker:
    """A broker with one camera and five frames of tracks."""
    client = fakeredis.FakeRedis()
    broker = Broker(client, Topology(1), "redis://fake")
    client.hset(broker.topology.cameras(0), "door", b'{"delivery": "live", "source": "file"}')
    for seq in range(5):
        data = dump(track_frame_to_json(samples.track_frame(seq), samples.PROVENANCE, 7))
        client.xadd(broker.topology.tracks("door"), {"data": data})
    return broker


class Unsteady:
    """A sink that fails with the messages of these frames, each so many times."""

    def __init__(self, failures: Mapping[int, int]) -> None:
        self.seen: list[int] = []
        self.closed = False
        self._left = dict(failures)

    def write(self, message: Message) -> None:
        assert isinstance(message.body, TrackFrame)
        self.seen.append(message.body.seq)
        if self._left.get(message.body.seq, 0) > 0:
            self._left[message.body.seq] -= 1
            raise ConnectionError("the server\nis away")

    def close(self) -> None:
        self.closed = True


def stage_of(broker: Broker, sink: Unsteady, consumer: str = "host") -> SinkStage:
    def subscribe() -> Subscription:
        streams = StreamSelection(None, ["tracks"], "start", broker.topology, "sink-mine")
        return Subscription(broker, streams, consumer, 0.0, resume_own=True)

    return SinkStage("mine", sink, Inbox(subscribe, Records(broker, "mine", "sink-mine"), MessageFilter()))


def run(stage: SinkStage, steps: int = 12) -> list[str]:
    errors = []
    for _ in range(steps):
        try:
            stage.step(0.0)
        except SinkFailed as error:
            errors.append(str(error))
    return errors


def test_a_message_that_fails_comes_again_before_any_other(broker: Broker) -> None:
    sink = Unsteady({1: 2, 4: 1})
    stage = stage_of(broker, sink)
    errors = run(stage)
    assert sink.seen == [0, 1, 1, 1, 2, 3, 4, 4]
    assert errors[0] == "the sink mine failed with a message of camera door (ConnectionError: the server is away)"
    assert broker.client.xpending(broker.topology.tracks("door"), "sink-mine")["pending"] == 0
    assert stage.report().does == "mine: 5 messages"
    stage.close()
    assert sink.closed


def test_a_process_that_was_killed_goes_on_with_what_it_had_not_handled(broker: Broker) -> None:
    first = Unsteady({2: 99})
    run(stage_of(broker, first))
    assert first.seen[:3] == [0, 1, 2]
    second = Unsteady({})
    run(stage_of(broker, second))
    assert second.seen == [2, 3, 4], "in order, and at once"


def opened(name: str, settings: SinkSettings, broker: Broker) -> Sink | Sender:
    return open_sink(name, settings, SinkContext(name, Settings(), broker))


def messages_of(broker: Broker) -> Iterator[Message]:
    streams = StreamSelection(None, ["tracks", "events"], "start", broker.topology, None)
    return Subscription(broker, streams, "c").poll(0.01)


def test_jsonl_appends_the_public_form(broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "tracks.jsonl"
    path.write_text("before\n")
    sink = cast(Sink, opened("jsonl", SinkSettings(options={"path": str(path)}), broker))
    for message in messages_of(broker):
        sink.write(message)
    first, *lines = path.read_text().splitlines()
    assert first == "before"
    assert [json.loads(line)["seq"] for line in lines] == [0, 1, 2, 3, 4]


def test_wrong_settings_are_sentences(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="there is no sink 'webhok': known are jsonl, mine, mqtt, webhook"):
        sink_settings(Settings(sinks={"mine": SinkSettings(sink="jsonl")}), "webhok")
    with pytest.raises(ConfigError, match=r"there is no sink 'webhok', which sinks\.mine names: did you mean"):
        opened("mine", SinkSettings(sink="webhok"), broker)
    with pytest.raises(ConfigError, match="the sink jsonl needs the option path: the file to which it appends"):
        opened("jsonl", SinkSettings(), broker)
    with pytest.raises(ConfigError, match="the sink jsonl has no option pfad: its options are path, max"):
        opened("jsonl", SinkSettings(options={"path": "x", "pfad": "x"}), broker)
    with pytest.raises(OutputError, match=r"the sink jsonl cannot write .*: No such file or directory"):
        opened("jsonl", SinkSettings(options={"path": str(tmp_path / "no" / "x")}), broker)
    broken: Any = {
        "crash": SinkSpec("crash", lambda options: options["address"]),
        "empty": SinkSpec("empty", lambda options: object()),  # type: ignore[arg-type,return-value]
    }
    monkeypatch.setattr(registry, "all_sinks", lambda: broken)
    with pytest.raises(ConfigError, match="crash cannot be opened: KeyError: 'address'"):
        opened("crash", SinkSettings(), broker)
    with pytest.raises(ConfigError, match="empty opens an object without the method write or send: object"):
        opened("empty", SinkSettings(), broker)
