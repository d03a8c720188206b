"""Sinks that come, go or change in a followed file: what differs, what the log says, and what cannot be used."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from posebus.config.settings import Settings
from posebus.config.sinks import SinkSettings
from posebus.reloading.difference import SinkDifference, difference, fixed_changes, with_fixed_of
from posebus.reloading.sentences import sink_lines
from posebus.sinks.checking import check_sink, usable_sinks

SECRETS = [f"whsec_{base64.b64encode(digit * 24).decode()}" for digit in (b"1", b"2")]
HOOK = SinkSettings(sink="webhook", options={"url": "https://example.org/hook", "secret": SECRETS[0]})


def changed(settings: SinkSettings, **fields: object) -> SinkSettings:
    return settings.model_copy(update=fields)


def test_sinks_differ_one_by_one_and_need_no_restart_of_posebus() -> None:
    before = Settings(sinks={"alarm": HOOK, "log": SinkSettings(sink="jsonl"), "old": HOOK})
    after = Settings(sinks={"alarm": changed(HOOK, cameras=["door"]), "log": SinkSettings(sink="jsonl"), "new": HOOK})
    found = difference(before, after).sinks
    assert (found.added, found.removed) == (("new",), ("old",))
    assert [(name, [one.field for one in changes]) for name, changes in found.changed.items()] == [
        ("alarm", ["cameras"])
    ]
    assert fixed_changes(before, after) == ()
    assert with_fixed_of(before, after).sinks == after.sinks
    assert difference(before, before).sinks == SinkDifference()
    assert not difference(before, before)
    assert difference(before, after)


def test_the_log_says_what_changed_without_secrets() -> None:
    other = {**HOOK.options, "secret": SECRETS[1]}
    before = Settings(sinks={"alarm": HOOK, "old": HOOK})
    after = Settings(sinks={"alarm": changed(HOOK, options=other, after="start"), "new": HOOK})
    lines = list(sink_lines(difference(before, after)))
    assert lines == [
        "sink old is removed: its process ends; the broker remembers for a week what it has delivered",
        "sink new is added",
        "sink alarm starts again and goes on where it was: after was now and is start; options has changed",
    ]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            changed(HOOK, options={"urll": "x"}),
            "the sink webhook has no option urll: did you mean 'url'?",
        ),
        (SinkSettings(sink="webhook"), "the sink webhook needs the option url"),
        (SinkSettings(sink="webhook", options={"url": "ftp://x"}), "the option url of the sink webhook is wrong"),
        (changed(HOOK, options={"url": "https://x", "secret": "word"}), "the secret of the sink webhook is wrong"),
        (
            changed(HOOK, options={"url": "https://x", "secret_env": "X"}),
            "the environment has no variable X",
        ),
        (SinkSettings(sink="mqtt", options={"url": "http://x"}), "the option url of the sink mqtt is wrong"),
        (SinkSettings(sink="jsonl", options={"path": "/nowhere/x"}), "the sink jsonl cannot write /nowhere/x"),
        (SinkSettings(sink="jsonl", options={"path": "/"}), "the sink jsonl cannot write /"),
        (SinkSettings(sink="fax"), "there is no sink 'fax', which sinks.alarm names"),
        (changed(HOOK, kinds=["tracks"]), "sinks.alarm.kinds: the sink webhook takes events alone, and not tracks"),
    ],
)
def test_a_sink_that_cannot_be_used_changes_nothing(settings: SinkSettings, sentence: str) -> None:
    usable, problems = usable_sinks({"alarm": HOOK}, {"alarm": settings, "second": HOOK})
    assert usable == {"alarm": HOOK, "second": HOOK}
    [problem] = problems
    assert sentence in problem
    assert problem.endswith("; the sink stays as it is")
    usable, [problem] = usable_sinks({}, {"alarm": settings})
    assert usable == {}
    assert problem.endswith("; the sink is not started")


def test_what_can_be_used_is_opened_by_no_check(tmp_path: Path) -> None:
    check_sink("alarm", HOOK)
    check_sink("home", SinkSettings(sink="mqtt", options={"url": "mqtt://127.0.0.1:1"}))
    check_sink("log", SinkSettings(sink="jsonl", options={"path": str(tmp_path / "log.jsonl")}))
    assert not list(tmp_path.iterdir())


def test_a_setting_that_was_accepted_once_is_not_checked_again() -> None:
    """Such as a variable of the environment that only the first start had: the process has it."""
    running = {"alarm": changed(HOOK, options={"url": "https://x", "secret_env": "GONE"})}
    assert usable_sinks(running, running) == (running, [])
