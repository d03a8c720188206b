"""Suspects are tried one at a time, and their attempts are written down before they start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from posebus.bus.reclaim import GONE
from posebus.errors import BrokerUnavailable
from posebus.messages import Frame
from tests.unit.workers.recording_consumer import RecordingConsumer, entry
from workers.images.picture import Picture
from workers.intake.in_flight import InFlight
from workers.intake.suspects import Suspects
from workers.job import Job


class ImmediatePipeline:
    """Starts each trial at once and keeps its job."""

    def __init__(self) -> None:
        self.started: list[Job] = []

    def add_alone(self, job: Job, begin: Callable[[], Job]) -> None:
        self.started.append(begin())


class Parts:
    """Suspects in a worker with nothing else in flight."""

    def __init__(self, *seqs: int) -> None:
        self.consumer: Any = RecordingConsumer()
        self.pipeline: Any = ImmediatePipeline()
        self.in_flight = InFlight()
        self.suspects = Suspects(self.consumer, self.pipeline, self.in_flight)
        for seq in seqs:
            one = entry(seq, deliveries=2)
            self.in_flight.add(one)
            assert isinstance(one.body, Frame)
            self.suspects.add(Job(one, one.body, Picture(b"", "jpeg", (64, 64))))

    def try_next(self) -> None:
        self.suspects.try_next(timeout_s=0.0)

    @property
    def started(self) -> list[int]:
        return [job.frame.seq for job in self.pipeline.started]


def test_next_suspect_is_tried_when_the_one_before_is_committed() -> None:
    parts = Parts(1, 2)
    parts.try_next()
    parts.try_next()
    assert parts.started == [1]
    parts.in_flight.release([parts.pipeline.started[0].entry])
    parts.try_next()
    assert parts.started == [1, 2]
    parts.in_flight.release([parts.pipeline.started[1].entry])
    assert parts.suspects.pending
    parts.try_next()
    assert not parts.suspects.pending


def test_suspect_waits_for_every_other_entry_in_flight() -> None:
    parts = Parts(1)
    other = entry(9)
    parts.in_flight.add(other)
    parts.try_next()
    assert parts.started == []
    parts.in_flight.release([other])
    parts.try_next()
    assert parts.started == [1]


def test_attempt_is_written_down_before_the_trial_starts() -> None:
    parts = Parts(1)
    parts.try_next()
    ((_, (attempt,)),) = parts.consumer.noted
    assert attempt.outcome == GONE
    (job,) = parts.pipeline.started
    assert job.entry.attempts == (attempt,)


def test_trial_that_cannot_be_written_down_does_not_start() -> None:
    parts = Parts(1)
    parts.consumer.failures = 1
    with pytest.raises(BrokerUnavailable):
        parts.try_next()
    assert parts.started == []
    parts.try_next()
    assert parts.started == [1]


def test_attempt_of_an_unfinished_trial_is_withdrawn() -> None:
    parts = Parts(1)
    parts.try_next()
    parts.suspects.withdraw()
    assert [len(attempts) for _, attempts in parts.consumer.noted] == [1, 0]


def test_attempt_of_a_finished_trial_stays() -> None:
    parts = Parts(1)
    parts.suspects.withdraw()
    parts.try_next()
    parts.in_flight.release([parts.pipeline.started[0].entry])
    parts.suspects.withdraw()
    assert [len(attempts) for _, attempts in parts.consumer.noted] == [1]
