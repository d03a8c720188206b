"""What a process logs about its settings, and what it passes on to its control."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from posebus.reloading.followed import FollowedSettings, Update
from posebus.runtime.following import Follower
from posebus.runtime.stage import PARENT_ENV, StopFlag

FIRST = "cameras:\n  hall: {source: 'usb:0'}\n"


class Recorder:
    """A control that notes what it is called with."""

    def __init__(self) -> None:
        self.polls = 0
        self.updates: list[Update] = []

    def poll(self, now_s: float) -> None:
        self.polls += 1

    def updated(self, update: Update) -> None:
        self.updates.append(update)


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The levels for which the log was set up. SIGHUP and the log are those of the process of the tests."""
    levels: list[str] = []
    monkeypatch.setattr("posebus.runtime.following.set_up_logging", lambda settings: levels.append(settings.log_level))
    before = signal.getsignal(signal.SIGHUP)
    yield levels
    signal.signal(signal.SIGHUP, before)


def test_updates_are_logged_passed_on_and_returned_if_there_is_something_to_do(
    tmp_path: Path, levels: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PARENT_ENV, raising=False)
    caplog.set_level("INFO")
    path = tmp_path / "posebus.yaml"
    path.write_text(FIRST)
    follower = Follower(FollowedSettings(path, {}, {}, settled_s=0.0), StopFlag())
    follower.control = control = Recorder()
    assert follower.poll(0.0) is None

    def read_again(now_s: float, text: str) -> tuple[Update | None, str]:
        caplog.clear()
        path.write_text(text)
        signal.raise_signal(signal.SIGHUP)
        return follower.poll(now_s), "\n".join(f"{one.levelname} {one.message}" for one in caplog.records)

    update, text = read_again(1.0, FIRST)
    assert (update, text) == (None, "INFO the configuration was read again; nothing changes")
    update, text = read_again(2.0, FIRST + "shards: 2\n")
    assert update is None
    assert text == "WARNING shards cannot change while posebus runs: it stays 1; restart posebus to use 2"
    update, text = read_again(3.0, FIRST + "x: 1\ny: 2\n")
    assert update is None
    assert [line.split(":")[0] for line in text.splitlines()] == [
        "ERROR the configuration is not used, and nothing changes"
    ] * 3
    assert f"{path}:3:1: x" in text
    assert levels == []
    update, text = read_again(4.0, FIRST + "log_level: warning\n")
    assert update is not None
    assert levels == ["warning"]
    assert text.startswith("INFO log_level was info and is warning")
    assert control.polls == 5
    assert [bool(one.difference) for one in control.updates] == [False, False, False, True]
    monkeypatch.setenv(PARENT_ENV, "1")  # its parent logs the same
    update, text = read_again(5.0, FIRST)
    assert update is not None
    assert text == ""
