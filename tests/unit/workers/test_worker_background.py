"""A thread that repeats a step, and whose errors are raised in the main loop."""

from __future__ import annotations

import threading
import time

import pytest

from posebus.errors import BrokerUnavailable
from tests.polling import wait_until
from workers.intake.background import Background


def test_error_pauses_the_thread_until_check_has_raised_it() -> None:
    calls: list[float] = []

    def step(now_s: float) -> None:
        calls.append(now_s)
        if len(calls) <= 2:
            raise BrokerUnavailable("gone")
        time.sleep(0.001)

    background = Background(step, "test")
    background.check()
    for failure in (1, 2):
        wait_until(lambda failure=failure: len(calls) == failure, "a failure")
        time.sleep(0.03)
        assert len(calls) == failure
        with pytest.raises(BrokerUnavailable):
            background.check()
    wait_until(lambda: len(calls) >= 5, "five calls", meanwhile=background.check, poll_s=0.001)
    assert background.stop(5)


def test_stop_waits_for_the_current_step() -> None:
    entered, finished = threading.Event(), threading.Event()

    def step(now_s: float) -> None:
        entered.set()
        time.sleep(0.05)
        finished.set()

    background = Background(step, "test")
    background.check()
    assert entered.wait(5)
    assert background.stop(5)
    assert finished.is_set()


def test_step_that_fails_during_stop_ends_the_thread() -> None:
    entered, may_fail = threading.Event(), threading.Event()

    def step(now_s: float) -> None:
        entered.set()
        may_fail.wait(5)
        raise BrokerUnavailable("gone")

    background = Background(step, "test")
    background.check()
    assert entered.wait(5)
    assert not background.stop(0.0)
    may_fail.set()
    assert background.stop(5)


def test_background_that_was_never_started_stops_at_once() -> None:
    assert Background(lambda now_s: None, "test").stop(0.0)
