"""`posebus deliver`: all sinks of a file at once, the events that were given up, and what its arguments may be."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from posebus.bus.redis.connection import Broker
from posebus.errors import ConfigError
from posebus_cli.app import command
from tests.conftest import ROOT
from tests.deliveries import empty_broker, event, publish, record_of
from tests.polling import wait_until
from tests.webhook_receiver import Receiver, Reply


@pytest.fixture
def broker(redis_server: str) -> Iterator[Broker]:
    with empty_broker(redis_server) as broker:
        yield broker


def call(*arguments: str) -> object:
    """Run the command in this process; its exit code, None for 0. Raises what it raises."""
    return command().main(["deliver", *arguments], standalone_mode=False)


def test_all_sinks_of_a_file_and_what_they_give_up(
    redis_server: str, broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Receiver(lambda request: Reply(410)) as receiver:
        config = tmp_path / "posebus.yaml"
        config.write_text(
            f"redis: {redis_server}\n"
            "sinks:\n"
            f"  log: {{sink: jsonl, after: start, options: {{path: '{tmp_path / 'log.jsonl'}'}}}}\n"
            f"  hook: {{sink: webhook, after: start, options: {{url: '{receiver.url}'}}}}\n"
        )
        publish(broker, [event(1), event(2, track=2)])
        with (tmp_path / "errors").open("w") as errors:
            program = [sys.executable, "-m", "posebus_cli", "deliver", "-c", str(config)]
            process = subprocess.Popen(program, cwd=ROOT, stderr=errors)
        said = lambda: (tmp_path / "errors").read_text()  # noqa: E731
        try:
            for sink, state in (("log", "delivered"), ("hook", "undelivered")):
                for one in (event(1), event(2, track=2)):
                    wait_until(lambda: record_of(broker, sink, one.id).get("state") == state, said)  # noqa: B023
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, said()
        lines = (tmp_path / "log.jsonl").read_text().splitlines()
        assert {json.loads(line)["id"] for line in lines} == {event(1).id, event(2, track=2).id}

        call("-c", str(config), "--list-undelivered", "--json")
        listed = json.loads(capsys.readouterr().out)
        assert {(one["sink"], one["id"]) for one in listed} == {("hook", event(1).id), ("hook", event(2, track=2).id)}
        call("-c", str(config), "--list-undelivered")
        assert "answered 410 Gone" in capsys.readouterr().out
        assert call("hook", "--replay", "-c", str(config)) == 1
        assert "0 events delivered, 2 events undelivered as before" in capsys.readouterr().out
        receiver.answer = lambda request: Reply()
        call("hook", "--replay", "--id", event(1).id, "-c", str(config))
        call("hook", "--replay", "-c", str(config))
        assert receiver.ids() == [event(1).id, event(2, track=2).id]
        with pytest.raises(ConfigError, match=r"the sink hook has no undelivered event 'door/1/9/x' at"):
            call("hook", "--replay", "--id", "door/1/9/x", "-c", str(config))
        with pytest.raises(ConfigError, match="the sink log gives up no event"):
            call("log", "--replay", "-c", str(config))
        capsys.readouterr()
        call("-c", str(config), "--list-undelivered")
        assert capsys.readouterr().out.startswith("no undelivered event at ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "there is no sink: add some under 'sinks:' in a file and give it with -c FILE, or name one"),
        (["nothing"], "there is no sink 'nothing': known are jsonl, mqtt, webhook"),
        (["jsonl", "webhook", "--type", "x"], "these options belong to one sink: name it"),
        (["--replay"], "these options belong to one sink: name it"),
        (["jsonl", "--id", "x"], "--json belongs to --list-undelivered, and --id to --replay"),
        (["jsonl", "-o", "path"], "an option of a sink is its name and its value with = between them"),
        (["jsonl", "--after", "noon"], "sinks.jsonl.after: Input should be 'now' or 'start'"),
    ],
)
def test_wrong_arguments_are_sentences(redis_server: str, arguments: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call(*arguments, "--redis", redis_server)
    assert sentence in str(caught.value)
