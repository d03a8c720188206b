"""The sink webhook with a real broker and a real server: what is sent, what follows from each answer, and letters."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from posebus.bus.redis.connection import Broker
from posebus.config.settings import Settings
from posebus.config.sinks import SinkSettings
from posebus.contract.public_json import event_to_json
from posebus.errors import ConfigError
from posebus.sinks.delivering.letters import Letters
from posebus.sinks.delivering.replay import replay_letters
from posebus.sinks.delivering.turn import TTL_S, Turn
from posebus.sinks.webhook.spec import open_webhook
from posebus_cli.observe.explain import explain
from tests.conftest import ROOT
from tests.deliveries import SinkHere, empty_broker, event, publish, record_of, records
from tests.polling import wait_until
from tests.webhook_receiver import Receiver, Reply

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@pytest.fixture
def broker(redis_server: str) -> Iterator[Broker]:
    with empty_broker(redis_server) as broker:
        yield broker


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def settings(url: str, receiver: Receiver, chosen: dict[str, Any] | None = None, **options: Any) -> Settings:
    given = {"sink": "webhook", "after": "start", **(chosen or {})}
    return Settings(redis=url, sinks={"hook": SinkSettings(**given, options={"url": receiver.url, **options})})


def state(broker: Broker, seq: int) -> str | None:
    return record_of(broker, "hook", event(seq).id).get("state")


def test_a_request_is_the_signed_cloudevent(redis_server: str, broker: Broker, receiver: Receiver) -> None:
    other = f"whsec_{base64.b64encode(KEY[::-1]).decode()}"
    options = {"secret": [SECRET, other], "headers": {"Authorization": "Bearer abc"}}
    with SinkHere(settings(redis_server, receiver, **options), "hook", broker) as sink:
        publish(broker, [event(1)])
        sink.until(lambda: state(broker, 1), "the delivery")
    (request,) = receiver.accepted
    headers = {name.lower(): value for name, value in request.headers.items()}
    for secret in (SECRET, other):
        Webhook(secret).verify(request.body, headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(request.body + b" ", headers)
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == headers["idempotency-key"] == event(1).id
    assert headers["authorization"] == "Bearer abc"
    assert request.event == event_to_json(event(1))
    # The example of docs/sinks.md is right, too.
    code = (ROOT / "docs" / "sinks.md").read_text().partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["is_genuine"](SECRET, headers, request.body)
    assert not names["is_genuine"](SECRET, headers, request.body + b" ")


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_a_refusal_is_kept_at_once_and_can_be_sent_again(
    redis_server: str, broker: Broker, receiver: Receiver, status: int
) -> None:
    receiver.answer = lambda request: Reply(status)
    chosen = settings(redis_server, receiver)
    with SinkHere(chosen, "hook", broker) as sink:
        publish(broker, [event(1)])
        sink.until(lambda: state(broker, 1), "the refusal")
        sink.step()
        report = sink.stage.report().sink
        assert report is not None
        assert (report.undelivered, report.delivered, report.waiting) == (1, 0, 0)
    assert len(receiver.requests) == 1
    (letter,) = Letters(broker, "hook").all()
    assert (letter.event, letter.attempts) == (event(1), 1)
    assert f"answered {status}" in letter.why
    sender = open_webhook({"url": receiver.url})
    assert [why for _, why in replay_letters(broker, "hook", sender)] == [letter.why]
    receiver.answer = lambda request: Reply()
    assert [why for _, why in replay_letters(broker, "hook", sender)] == [None]
    assert list(replay_letters(broker, "hook", sender)) == []
    assert state(broker, 1) == "delivered"
    assert receiver.ids() == [event(1).id]


@pytest.mark.parametrize("status", [302, 408, 409, 425, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again(redis_server: str, broker: Broker, receiver: Receiver, status: int) -> None:
    receiver.answer = lambda request: Reply(status, {"Location": "/x"})
    with SinkHere(settings(redis_server, receiver), "hook", broker) as sink:
        publish(broker, [event(1)])
        sink.until(lambda: state(broker, 1) == "waiting", "a failure")
        assert f"answered {status}" in record_of(broker, "hook", event(1).id)["why"]
        receiver.answer = lambda request: Reply(202)
        sink.until(lambda: state(broker, 1) == "delivered", "the delivery")
    assert record_of(broker, "hook", event(1).id)["attempts"] == len(receiver.requests) >= 2
    assert len(receiver.ids()) == 1
    assert {one.event_id for one in receiver.requests} == {event(1).id}, "a redirect is not followed"


def test_it_waits_as_long_as_the_receiver_asks(redis_server: str, broker: Broker, receiver: Receiver) -> None:
    receiver.answer = lambda request: Reply(503, {"Retry-After": "120"})
    with SinkHere(settings(redis_server, receiver), "hook", broker) as sink:
        publish(broker, [event(1)])
        sink.until(lambda: state(broker, 1), "a failure")
    record = record_of(broker, "hook", event(1).id)
    assert record["next_ns"] - record["at_ns"] == 120_000_000_000


def test_an_event_that_fails_for_too_long_is_given_up_and_the_next_of_its_track_follows(
    redis_server: str, broker: Broker, receiver: Receiver
) -> None:
    receiver.answer = lambda request: Reply(500 if request.event["data"]["seq"] == 1 else 200)
    with SinkHere(settings(redis_server, receiver, give_up_s=0.6), "hook", broker) as sink:
        publish(broker, [event(1), event(2), event(1, track=2), event(2, track=2)])
        sink.until(lambda: state(broker, 2) == "delivered", "the event behind it")
    record = record_of(broker, "hook", event(1).id)
    assert record["state"] == "undelivered"
    assert "answered 500" in record["why"]
    assert "given up after" in record["why"]


def test_one_event_that_fails_holds_up_no_other_track(redis_server: str, broker: Broker, receiver: Receiver) -> None:
    receiver.answer = lambda request: Reply(500 if request.event["data"]["track_id"] == 1 else 200)
    with SinkHere(settings(redis_server, receiver, lanes=2), "hook", broker) as sink:
        others = [event(seq, track) for seq in range(20) for track in (2, 3, 4)]
        publish(broker, [event(0), event(1), *others])
        sink.until(lambda: set(receiver.ids()) == {one.id for one in others}, "the other tracks")
        assert state(broker, 0) == "waiting"
        assert state(broker, 1) is None, "it is behind the one that fails"


def test_an_answer_that_never_ends_counts_by_its_status(redis_server: str, broker: Broker, receiver: Receiver) -> None:
    receiver.answer = lambda request: Reply(200, {"Content-Length": "1000000"})
    with SinkHere(settings(redis_server, receiver, timeout_s=0.5), "hook", broker) as sink:
        publish(broker, [event(1), event(2)])
        sink.until(lambda: state(broker, 2) == "delivered", "the delivery")
    assert receiver.twice() == {}


def test_filters_are_applied_and_recorded(redis_server: str, broker: Broker, receiver: Receiver) -> None:
    chosen = {"types": ["posebus.line.*", "posebus.zone.left"], "rules": ["gate"]}
    fall, left = event(2, kind="posebus.fall.detected"), event(3, kind="posebus.zone.left")
    other, online = event(4, rule="till"), event(5, None, kind="posebus.line.online")
    online.data.pop("rule")
    with SinkHere(settings(redis_server, receiver, chosen), "hook", broker) as sink:
        publish(broker, [fall, other, online, event(1), left])
        sink.until(lambda: len(receiver.ids()) == 2, "what passes")
        sink.until(lambda: len(records(broker, "hook")) == 5, "the records")
    assert set(receiver.ids()) == {event(1).id, left.id}
    found = records(broker, "hook")
    whys = {one.id: found[one.id]["why"] for one in (fall, other, online)}
    assert whys == {fall.id: "types", other.id: "rules", online.id: "rules"}


def test_certificates_are_checked(redis_server: str, broker: Broker, receiver: Receiver, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "own.pem"
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost"]
    command = [*request.split(), *names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    receiver.down()
    receiver.certificate = certificate, key
    receiver.up()
    with SinkHere(settings(redis_server, receiver), "hook", broker) as sink:
        publish(broker, [event(1)])
        sink.until(lambda: state(broker, 1), "the failure")
    assert "certificate verify failed" in record_of(broker, "hook", event(1).id)["why"].lower()
    assert receiver.requests == []
    with SinkHere(settings(redis_server, receiver, ca_file=str(certificate)), "hook", broker) as sink:
        sink.until(lambda: state(broker, 1) == "delivered", "the delivery")


def test_two_processes_of_a_sink_take_turns(redis_server: str, broker: Broker) -> None:
    first, second = Turn(broker, "hook"), Turn(broker, "hook")
    second._value = b"elsewhere:1"
    assert first.take(0.0)
    assert not second.take(0.0)
    assert first.held(1.0)
    assert not first.held(TTL_S), "it cannot know whether another process has it by then"
    assert first.take(1.0)
    assert not first.lost
    # The first one was suspended for so long that its key has expired.
    broker.client.delete(broker.topology.delivering("hook"))
    assert second.take(20.0)
    assert not first.take(20.0)
    second.release()
    assert first.take(21.0)
    assert first.lost, "what was read must be read again"


def test_a_turn_of_a_process_that_was_killed_is_taken_at_once(redis_server: str, broker: Broker) -> None:
    code = (
        "import sys; from posebus.bus.redis.connection import open_broker; "
        "from posebus.sinks.delivering.turn import Turn; print(Turn(open_broker(sys.argv[1]), 'hook').take(0.0))"
    )
    done = subprocess.run([sys.executable, "-c", code, redis_server], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "True\n"
    assert broker.client.pttl(broker.topology.delivering("hook")) > 0
    assert Turn(broker, "hook").take(0.0)


def explained(url: str, config: Path, event_id: str, capsys: pytest.CaptureFixture[str]) -> str:
    explain(event_id, redis=url, config=config)  # type: ignore[call-arg]
    return capsys.readouterr().out


def test_explain_says_what_became_of_an_event(
    redis_server: str, broker: Broker, receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "posebus.yaml"
    config.write_text(
        "sinks:\n"
        f"  hook: {{sink: webhook, after: start, options: {{url: '{receiver.url}'}}}}\n"
        "  falls: {sink: webhook, types: [posebus.fall.*], options: {url: 'http://localhost:1/'}}\n"
    )
    said = lambda seq: explained(redis_server, config, event(seq).id, capsys)  # noqa: E731
    with pytest.raises(ConfigError, match=r"there is no event 'door/1/1/.*' at redis://"):
        said(1)
    for wrong in ("door/1", "/1/2/posebus.x"):
        with pytest.raises(ConfigError, match="this is no id of an event: one is CAMERA/EPOCH/SEQ/TYPE"):
            explained(redis_server, config, wrong, capsys)
    publish(broker, [event(1)])
    text = said(1)
    assert "rule gate (line); track 1" in text
    assert "hook: not sent: the sink has not read any event yet; does it run?" in text
    assert "falls: not sent: its setting types does not have this type" in text

    replies = {1: 500, 2: 404, 3: 200}
    receiver.answer = lambda request: Reply(replies[request.event["data"]["track_id"]])
    with SinkHere(settings(redis_server, receiver), "hook", broker) as sink:
        publish(broker, [event(2, 2), event(3, 3)])
        ids = [event(1).id, event(2, 2).id, event(3, 3).id]
        sink.until(lambda: set(ids) <= set(records(broker, "hook")), "all three")
        waiting, refused, delivered = (explained(redis_server, config, one, capsys) for one in ids)
    assert "hook: waiting: 1 attempt failed" in waiting or "attempts failed" in waiting
    assert "answered 500 Internal Server Error; the next" in waiting
    assert "hook: undelivered since" in refused
    assert "answered 404" in refused
    assert "'posebus deliver --replay hook --id ID' sends it again" in refused
    assert "hook: delivered at" in delivered
    assert "after 1 attempt (200)" in delivered
    broker.client.delete(broker.topology.events(0))
    gone = explained(redis_server, config, event(3, 3).id, capsys)
    assert "it is not in the stream any more" in gone
    assert "hook: delivered at" in gone
    kept = explained(redis_server, config, event(2, 2).id, capsys)
    assert "rule gate (line); track 2" in kept, "from the letter"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "the sink webhook needs the option url: the address that gets each event"),
        ({"url": "example.org/hook"}, "it must be an address such as https://example.org/hook"),
        ({"url": "https:///hook"}, "it must be an address such as"),
        ({"url": "https://example.org:99999/hook"}, "it must be an address such as"),
        ({"url": "https://h", "secret": "geheim12"}, "a secret is 16 to 128 random bytes in base64"),
        ({"url": "https://h", "secret_env": "NO_SUCH_ONE"}, "the environment has no variable NO_SUCH_ONE"),
        ({"url": "https://h", "secret_env": "POSEBUS_X"}, "those are settings of posebus"),
        ({"url": "https://h", "headers": {"a": "b\nc"}}, "characters that no HTTP header can have"),
        ({"url": "https://h", "ca_file": "/no/such"}, "cannot read the certificates in /no/such"),
        ({"url": "https://h", "timeout_s": 0}, "the option timeout_s of the sink webhook is wrong"),
        ({"url": "https://h", "retries": 3}, "the sink webhook has no option retries: its options are url, secret,"),
    ],
)
def test_wrong_options_are_sentences(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_webhook(options)
    assert sentence in str(caught.value)
    assert "geheim12" not in str(caught.value)


def test_no_secret_is_shown(
    redis_server: str, broker: Broker, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answer = lambda request: Reply(500)
    address = receiver.url.replace("http://", "http://me:geheim12@") + "?token=geheim34"
    options = {"url": address, "secret": SECRET, "headers": {"X-Api-Key": "geheim56"}}
    hook = SinkSettings(sink="webhook", after="start", options=options)
    chosen = Settings(redis=redis_server, sinks={"hook": hook})
    with SinkHere(chosen, "hook", broker) as sink:
        publish(broker, [event(1)])
        sink.until(lambda: state(broker, 1) == "waiting", "a failure")
        sink.step()
        report = str(sink.stage.report())
        receiver.answer = lambda request: Reply(404)
        sink.until(lambda: state(broker, 1) == "undelivered", "a refusal")
    shown = "\n".join(
        [report, caplog.text, json.dumps(records(broker, "hook")), *(one.why for one in Letters(broker, "hook").all())]
    )
    assert "answered 500" in shown
    for secret in ("geheim", SECRET.removeprefix("whsec_")):
        assert secret not in shown


def test_the_receiver_may_be_unreachable_at_the_start(redis_server: str, broker: Broker, receiver: Receiver) -> None:
    receiver.down()
    with SinkHere(settings(redis_server, receiver), "hook", broker) as sink:
        publish(broker, [event(seq, track) for seq in range(3) for track in (1, 2)])
        sink.until(lambda: state(broker, 0) == "waiting", "a failure")
        sink.step()
        report = sink.stage.report().sink
        assert report is not None
        assert report.waiting == 6
        assert "cannot be reached" in str(report.trouble)
        receiver.up()
        wait_until(lambda: len(receiver.ids()) == 6, "all events", meanwhile=sink.step)
        sink.until(lambda: sink.stage.report().sink.trouble is None, "no more trouble")  # type: ignore[union-attr]
