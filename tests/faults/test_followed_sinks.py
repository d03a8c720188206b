"""Sinks whose file is edited while events come: only the edited one starts again, and nothing is lost or sent twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.telemetry.reports import process_reports
from tests.conftest import ROOT
from tests.deliveries import empty_broker, event, publish, record_of
from tests.polling import wait_until
from tests.webhook_receiver import Receiver


class Following:
    """`posebus deliver -c FILE`, and the events of the test; use it in a `with`."""

    def __init__(self, broker: Broker, url: str, folder: Path) -> None:
        self.config = folder / "posebus.yaml"
        self.published: list[str] = []
        self._broker = broker
        self._url = url
        self._errors = folder / "errors"
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, **sinks: dict[str, object]) -> None:
        """Replace the file."""
        new = self.config.with_suffix(".new")
        new.write_text(json.dumps({"redis": self._url, "sinks": sinks}))
        new.replace(self.config)

    def events(self, number: int) -> None:
        """So many more events, of three tracks."""
        first = len(self.published)
        some = [event(seq, track=seq % 3) for seq in range(first, first + number)]
        publish(self._broker, some)
        self.published += [one.id for one in some]

    def log(self) -> str:
        return self._errors.read_text()

    def says(self, text: str) -> None:
        """Wait until the log has it, while events come."""
        wait_until(lambda: text in self.log(), lambda: f"{text!r} in {self.log()}", meanwhile=lambda: self.events(1))

    def pids(self) -> dict[str, int]:
        """The process of each sink, as it reports itself."""
        found = process_reports(Registry(self._broker)).values()
        return {one.sink.name: one.pid for one in found if one.sink is not None and one.ready}

    def runs(self, *names: str) -> dict[str, int]:
        """Wait until these sinks run, and no others."""
        wait_until(lambda: sorted(self.pids()) == sorted(names), lambda: f"{names}: {self.pids()} {self.log()}")
        return self.pids()

    def delivered(self, sink: str) -> None:
        """Wait until the sink has handled all events."""
        wait_until(
            lambda: all(record_of(self._broker, sink, one).get("state") == "delivered" for one in self.published),
            lambda: f"all events at {sink}: {self.log()}",
        )

    def __enter__(self) -> Following:
        with self._errors.open("w") as errors:
            program = [sys.executable, "-m", "posebus_cli", "deliver", "-c", str(self.config)]
            self._process = subprocess.Popen(program, cwd=ROOT, stderr=errors, env={**os.environ, "SECRET": "word"})
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0, self.log()


@pytest.fixture
def following(redis_server: str, tmp_path: Path) -> Iterator[Following]:
    with empty_broker(redis_server) as broker:
        yield Following(broker, redis_server, tmp_path)


def ids(path: Path) -> Counter[str]:
    """How often each event is in a file of the sink jsonl."""
    return Counter(json.loads(line)["id"] for line in path.read_text().splitlines())


def test_sinks_come_change_and_go_and_each_event_is_delivered_once(following: Following, tmp_path: Path) -> None:
    with Receiver() as receiver:
        log: dict[str, object] = {"sink": "jsonl", "after": "start", "options": {"path": str(tmp_path / "log.jsonl")}}
        other = {**log, "options": {"path": str(tmp_path / "other.jsonl")}}
        hook: dict[str, object] = {"sink": "webhook", "after": "start", "options": {"url": receiver.url, "lanes": 2}}
        changed = {**hook, "options": {"url": receiver.url, "lanes": 3}}
        following.write(log=log, hook=hook)
        following.events(20)
        with following:
            before = following.runs("log", "hook")
            following.write(log=log, hook=changed)
            following.says("sink hook starts again and goes on where it was: options has changed")
            following.events(20)
            wait_until(lambda: following.pids().get("hook") not in (None, before["hook"]), following.log)
            following.write(log=log, hook=changed, other=other)
            following.says("sink other is added")
            added = following.runs("log", "hook", "other")

            following.write(log=log, hook={**hook, "options": {"urll": "x"}}, other=other)
            following.says(
                "sinks.hook: the sink webhook has no option urll: did you mean 'url'?; the sink stays as it is"
            )
            for name in ("log", "hook", "other"):
                following.delivered(name)
            assert following.runs("log", "hook", "other") == added

            following.write(log=log, hook=changed)
            following.says("sink other is removed: its process ends")
            left = following.runs("log", "hook")
            assert left == {"log": before["log"], "hook": added["hook"]}, "another process was started again"
            following.delivered("log")
            following.delivered("hook")
        assert Counter(receiver.ids()) == Counter(following.published)
        assert ids(tmp_path / "log.jsonl") == Counter(following.published)
        assert max(ids(tmp_path / "other.jsonl").values()) == 1


def test_a_file_may_lose_all_its_sinks_and_get_some_again(following: Following, tmp_path: Path) -> None:
    log: dict[str, object] = {"sink": "jsonl", "after": "start", "options": {"path": str(tmp_path / "log.jsonl")}}
    following.write(log=log)
    with following:
        following.runs("log")
        following.write()
        following.says("sink log is removed")
        following.runs()
        following.events(5)
        following.write(log=log)
        following.runs("log")
        following.delivered("log")
    assert ids(tmp_path / "log.jsonl") == Counter(following.published)
