"""The sink mqtt at a real mosquitto: events, states, the last will, devices of Home Assistant, and an outage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import samples

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import Settings
from posebus.config.sinks import SinkSettings
from posebus.contract.public_json import dump, track_frame_to_json
from posebus.errors import ConfigError
from posebus.messages import Delivery
from posebus.sinks import SinkContext
from posebus.sinks.mqtt.spec import open_mqtt
from tests.deliveries import SinkHere, SinkProcess, empty_broker, event, publish, record_of
from tests.mosquitto import Listener, Mosquitto
from tests.polling import wait_until

CONFIG = "homeassistant/device/posebus_door/config"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as started:
        yield started


@pytest.fixture
def broker(redis_server: str) -> Iterator[Broker]:
    with empty_broker(redis_server) as broker:
        Registry(broker).add_camera(CameraRecord("door", Delivery.LIVE, "network", rules={"floor": {"kind": "fall"}}))
        yield broker


def running(url: str, broker: Broker, mosquitto: Mosquitto, **options: Any) -> SinkHere:
    chosen = SinkSettings(sink="mqtt", after="start", options={"url": mosquitto.url, **options})
    return SinkHere(Settings(redis=url, sinks={"home": chosen}), "home", broker)


def test_events_states_and_devices(redis_server: str, broker: Broker, mosquitto: Mosquitto) -> None:
    listener = Listener(mosquitto, "#")
    with running(redis_server, broker, mosquitto) as sink:
        sink.until(lambda: listener.last("posebus/door/state") == b'{"state":"offline","people":0}', "the first state")
        assert listener.last("posebus/status") == b"online"
        device = json.loads(listener.last(CONFIG) or b"")
        names = {one["name"]: one["platform"] for one in device["components"].values()}
        assert names == {"Online": "binary_sensor", "People": "sensor", "floor": "event"}
        assert device["availability_topic"] == "posebus/status"
        assert device["device"]["identifiers"] == ["posebus_door"]

        frame = samples.track_frame(1)
        broker.client.xadd(
            broker.topology.tracks("door"), {"data": dump(track_frame_to_json(frame, samples.PROVENANCE, 7))}
        )
        people = sum(track.state == "confirmed" for track in frame.tracks)
        assert people > 0
        publish(broker, [event(0, None, kind="posebus.camera.online"), *(event(seq) for seq in range(1, 6))])
        topic = "posebus/door/events/posebus.line.crossed"
        sink.until(lambda: len(listener.of(topic)) == 5, "the events")
        found = listener.of(topic)
        assert [json.loads(one.payload)["data"]["seq"] for one in found] == [1, 2, 3, 4, 5]
        assert {(one.qos, one.retain, one.properties.ContentType) for one in found} == {
            (1, False, "application/cloudevents+json")
        }
        wanted = dump({"state": "online", "people": people}).encode()
        sink.until(lambda: listener.last("posebus/door/state") == wanted, "the number of people")
        assert record_of(broker, "home", event(1).id)["state"] == "delivered"
        # A rule that became known by its events is an entity, whose template gives its events alone.
        sink.until(lambda: "rule_gate" in (listener.last(CONFIG) or b"").decode(), "the rule")
        components = json.loads(listener.last(CONFIG) or b"")["components"]
        (rule,) = (one for name, one in components.items() if name.startswith("rule_gate"))
        assert (rule["platform"], rule["name"], rule["state_topic"]) == ("event", "gate", "posebus/door/events/+")

        late = Listener(mosquitto, "#")
        sink.until(lambda: late.last(CONFIG) is not None and late.last("posebus/door/state") == wanted, "the retained")
        assert late.last("posebus/status") == b"online"
        assert late.of(topic) == []
        before = len(listener.of(CONFIG)), len(listener.of("posebus/door/state"))
        late.publish("homeassistant/status", "online")
        sink.until(lambda: len(listener.of("posebus/door/state")) == before[1] + 1, "the state again")
        assert len(listener.of(CONFIG)) == before[0] + 1

        Registry(broker).remove_camera("door")
        sink.until(lambda: listener.last(CONFIG) == b"" and listener.last("posebus/door/state") == b"", "no device")
    wait_until(lambda: listener.last("posebus/status") == b"offline", "the farewell")
    listener.close()
    late.close()


def test_the_templates_give_what_home_assistant_needs() -> None:
    from posebus.contract.public_json import event_to_json
    from posebus.sinks.mqtt.home_assistant import device
    from posebus.sinks.mqtt.topics import Topics

    components = json.loads(device("ha", Topics("posebus"), "door", ["gate"], with_events=True).payload)["components"]
    of = {name.partition("_")[0]: jinja2.Template(one["value_template"]) for name, one in components.items()}
    state = {"state": "online", "people": 3}
    assert of["online"].render(value_json=state) == "ON"
    assert of["people"].render(value_json=state) == "3"
    content = event_to_json(event(1, phase="start"))
    rendered = json.loads(of["rule"].render(value_json=content))
    assert (rendered["event_type"], rendered["data"]["track_id"]) == ("start", 1)
    other = event_to_json(event(1, rule="till"))
    assert of["rule"].render(value_json=other) == ""
    camera = {**content, "data": {"camera": "door"}}
    assert of["rule"].render(value_json=camera) == ""


def test_an_outage_of_the_mqtt_broker_loses_nothing(redis_server: str, broker: Broker, mosquitto: Mosquitto) -> None:
    with running(redis_server, broker, mosquitto) as sink:
        publish(broker, [event(0)])
        sink.until(lambda: record_of(broker, "home", event(0).id).get("state") == "delivered", "the first event")
        mosquitto.kill()
        publish(broker, [event(seq, track) for seq in range(1, 20) for track in (1, 2, 3)])
        sink.until(lambda: record_of(broker, "home", event(1).id).get("state") == "waiting", "a failure")
        sink.step()
        report = sink.stage.report()
        assert report.sink is not None
        assert "mqtt://localhost" in str(report.sink.trouble)
        mosquitto.start()
        listener = Listener(mosquitto, "posebus/#")
        last = [event(19, track).id for track in (1, 2, 3)]
        sink.until(lambda: all(record_of(broker, "home", one).get("state") == "delivered" for one in last), "the rest")
        events = [json.loads(one.payload)["data"] for one in listener.of("posebus/door/events/posebus.line.crossed")]
        for track in (1, 2, 3):
            seqs = [data["seq"] for data in events if data["track_id"] == track]
            # The listener may have come later than the first of them.
            assert seqs == list(range(seqs[0], 20))
        sink.until(lambda: listener.last("posebus/status") == b"online", "the status after the outage")
    listener.close()


def test_a_killed_sink_is_offline_by_its_last_will(
    redis_server: str, broker: Broker, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    listener = Listener(mosquitto, "posebus/status")
    settings = SinkSettings(sink="mqtt", options={"url": mosquitto.url})
    with SinkProcess(tmp_path, redis_server, "home", settings) as process:
        wait_until(lambda: listener.last("posebus/status") == b"online", process.log)
        process.kill()
        wait_until(lambda: listener.last("posebus/status") == b"offline", process.log)
    listener.close()


def test_events_of_onvif_have_its_topics(redis_server: str, broker: Broker, mosquitto: Mosquitto) -> None:
    listener = Listener(mosquitto, "posebus/#")
    with running(redis_server, broker, mosquitto, topics="onvif", discovery=None) as sink:
        publish(broker, [event(1), event(2, kind="posebus.hands_up.detected")])
        sink.until(lambda: record_of(broker, "home", event(2, kind="posebus.hands_up.detected").id), "both events")
        topic = "posebus/door/onvif-ej/RuleEngine/LineDetector/Crossed/&door/gate"
        wait_until(lambda: listener.last(topic) is not None, "the event of ONVIF")
        content = json.loads(listener.last(topic) or b"")
        assert content.pop("UtcTime").startswith("2025-11-24T")
        assert content == {"Source": {"VideoSource": "door", "Rule": "gate"}, "Data": {"ObjectId": "1"}}
        assert listener.last("posebus/door/events/posebus.hands_up.detected") is not None
    assert not any(one.topic.startswith("homeassistant") for one in listener.read())
    listener.close()


def test_what_the_mqtt_broker_forbids_is_kept(redis_server: str, broker: Broker, tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite posebus/status\ntopic readwrite posebus/door/state\ntopic read #\n")
    with (
        Mosquitto(tmp_path, "allow_anonymous true", f"acl_file {rules}") as mosquitto,
        running(redis_server, broker, mosquitto) as sink,
    ):
        publish(broker, [event(1)])
        sink.until(lambda: record_of(broker, "home", event(1).id).get("state") == "undelivered", "a refusal")
        assert "Not authorized" in record_of(broker, "home", event(1).id)["why"]
        assert broker.client.xlen(broker.topology.undelivered(0, "home")) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "the sink mqtt needs the option url: the MQTT broker"),
        ({"url": "localhost:1883"}, "the option url of the sink mqtt is wrong: it must be like mqtt://localhost:1883"),
        ({"url": "mqtt://me:geheim12@h:x"}, "the option url of the sink mqtt is wrong"),
        ({"url": "mqtt://h", "prefix": "a/#"}, "the option prefix of the sink mqtt is wrong: a topic has no blanks"),
        ({"url": "mqtt://h", "password_env": "NO_SUCH_ONE"}, "the environment has no variable NO_SUCH_ONE"),
        ({"url": "mqtt://h", "topics": "x"}, "the option topics of the sink mqtt is wrong: Input should be"),
        ({"url": "mqtts://h", "ca_file": "/no/such"}, "the sink mqtt cannot read the certificates in /no/such"),
    ],
)
def test_wrong_options_are_sentences(broker: Broker, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_mqtt(options, SinkContext("home", Settings(), broker))
    assert sentence in str(caught.value)
    assert "geheim12" not in str(caught.value)
