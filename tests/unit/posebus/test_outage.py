"""Pauses during an outage, and log lines when it starts, once a minute, and when it ends."""

from __future__ import annotations

import logging
import random

import pytest

from posebus.backoff import Backoff
from posebus.errors import BrokerUnavailable
from posebus.runtime.outage import REMIND_S, RETRY_MAX_S, SETTLED_S, Outage

GONE = BrokerUnavailable("no answer from the broker")


def outage(seed: int = 1) -> Outage:
    return Outage(Backoff(0.1, 2.0, random.Random(seed)))


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_pauses_grow_to_their_limit_and_are_short_again_after_the_outage() -> None:
    one = outage()
    pauses_s = [one.failed(GONE, float(at_s)) for at_s in range(10)]
    assert pauses_s[0] <= 0.1
    assert max(pauses_s) <= 2.0
    assert min(pauses_s[6:]) >= 1.0
    one.worked(20.0)
    one.worked(20.0 + SETTLED_S)
    assert one.failed(GONE, 30.0) <= 0.1


def test_by_default_processes_do_not_retry_in_step() -> None:
    one, other = Outage(), Outage()
    mine = [one.failed(GONE, 0.0) for _ in range(8)]
    assert mine != [other.failed(GONE, 0.0) for _ in range(8)]
    assert max(mine) <= RETRY_MAX_S


def test_a_long_outage_is_logged_when_it_starts_once_a_minute_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = outage()
    with caplog.at_level(logging.WARNING):
        for at_s in range(int(2.5 * REMIND_S)):
            one.failed(GONE, float(at_s))
        one.worked(151.0)
        one.worked(151.0 + SETTLED_S)
        one.worked(160.0)
    assert logged(caplog) == [
        "no answer from the broker; trying again",
        "no answer from the broker; still trying, for 60 s now",
        "no answer from the broker; still trying, for 120 s now",
        "it works again, after 151.0 s",
    ]


def test_steps_that_succeed_between_failures_do_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    one = outage()
    with caplog.at_level(logging.WARNING):
        for tick in range(100):
            one.failed(GONE, tick * 0.5)
            one.worked(tick * 0.5 + 0.1)
    assert logged(caplog) == ["no answer from the broker; trying again"]
    assert one.failed(GONE, 50.0) >= 1.0


def test_nothing_is_logged_without_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    one = outage()
    with caplog.at_level(logging.WARNING):
        for at_s in range(10):
            one.worked(float(at_s))
    assert logged(caplog) == []
