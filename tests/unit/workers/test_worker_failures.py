"""Which attempts count against a frame, and when it is given up."""

from __future__ import annotations

from typing import Any

import pytest

from posebus.bus.frame_consumer import FrameEntry
from posebus.bus.reclaim import GONE, Attempt
from posebus.errors import BrokerUnavailable
from posebus.messages import Frame
from tests.unit.workers.recording_consumer import RecordingConsumer, entry
from workers.images.picture import Picture
from workers.inference.frame_job import Failed
from workers.inference.hang import Hang
from workers.intake.failures import REDELIVERY_FACTOR, Failures, exhausted_reason
from workers.intake.in_flight import InFlight
from workers.job import Job

ON_FIRE = RuntimeError("on fire")


class Parts:
    """The failures of a worker that may try a frame twice."""

    def __init__(self) -> None:
        self.consumer: Any = RecordingConsumer()
        self.in_flight = InFlight()
        self.failures = Failures(self.consumer, self.in_flight, max_attempts=2)

    def job(self, one: FrameEntry) -> Job:
        self.in_flight.add(one)
        assert isinstance(one.body, Frame)
        return Job(one, one.body, Picture(b"", "jpeg", (64, 64)))


def attempt(worker: str, outcome: str = GONE) -> Attempt:
    return Attempt(worker, 0, outcome)


def test_entry_with_as_many_attempts_as_allowed_is_exhausted() -> None:
    assert exhausted_reason(entry(0, attempts=(attempt("w1"),)), max_attempts=2) is None
    twice = entry(0, attempts=(attempt("w1"), attempt("w2", "RuntimeError: on fire")))
    assert (
        exhausted_reason(twice, max_attempts=2)
        == "given up after 2 attempts in 2 workers; the last: RuntimeError: on fire"
    )
    once = entry(0, attempts=(attempt("w1", "it hung"),))
    assert exhausted_reason(once, max_attempts=1) == "given up after 1 attempt in 1 worker; the last: it hung"


def test_entry_that_was_delivered_very_often_is_exhausted_without_an_attempt() -> None:
    most = 2 * REDELIVERY_FACTOR
    assert exhausted_reason(entry(0, deliveries=most), max_attempts=2) is None
    reason = exhausted_reason(entry(0, deliveries=most + 1), max_attempts=2)
    assert reason == f"given up after {most} deliveries: every worker that took it ended before it answered"


def test_frame_that_failed_beside_others_is_released_without_an_attempt() -> None:
    parts, one = Parts(), entry(0)
    assert parts.failures.record(Failed(parts.job(one), ON_FIRE, alone=False)) is None
    parts.failures.write()
    assert parts.consumer.noted == []
    assert one.key not in parts.in_flight
    assert not parts.in_flight.is_refused(one.key)


def test_frame_that_failed_alone_is_refused_once_its_attempt_is_written_down() -> None:
    parts, one = Parts(), entry(0)
    assert parts.failures.record(Failed(parts.job(one), ON_FIRE, alone=True)) is None
    parts.consumer.failures = 1
    with pytest.raises(BrokerUnavailable):
        parts.failures.write()
    assert one.key in parts.in_flight
    parts.failures.write()
    assert parts.consumer.noted == [(one.key, (attempt("w1", "RuntimeError: on fire"),))]
    assert parts.in_flight.is_refused(one.key)
    parts.failures.write()
    assert len(parts.consumer.noted) == 1


def test_frame_that_failed_for_the_last_time_becomes_a_dead_letter() -> None:
    parts, one = Parts(), entry(0, attempts=(attempt("w2"),))
    letter = parts.failures.record(Failed(parts.job(one), ON_FIRE, alone=True))
    assert letter is not None
    assert letter.dead_reason == "given up after 2 attempts in 2 workers; the last: RuntimeError: on fire"
    assert one.key in parts.in_flight


def test_failure_of_a_suspect_replaces_the_attempt_that_was_written_down_before_its_trial() -> None:
    parts = Parts()
    suspect = entry(0, deliveries=2, attempts=(attempt("w1"),))
    assert parts.failures.record(Failed(parts.job(suspect), ON_FIRE, alone=True)) is None
    parts.failures.write()
    assert parts.consumer.noted == [(suspect.key, (attempt("w1", "RuntimeError: on fire"),))]


@pytest.mark.parametrize(("frames", "noted"), [(1, 1), (2, 0), (0, 0)])
def test_hang_counts_only_against_a_frame_that_was_alone(frames: int, noted: int) -> None:
    parts = Parts()
    jobs = tuple(parts.job(entry(seq)) for seq in range(frames))
    parts.failures.record_hang(Hang(jobs, "engine", 20.4))
    assert [attempts[-1].outcome for _, attempts in parts.consumer.noted] == ["it hung in the engine for 20 s"] * noted


def test_hang_is_not_recorded_where_the_broker_is_unreachable() -> None:
    parts = Parts()
    parts.consumer.failures = 1
    parts.failures.record_hang(Hang((parts.job(entry(0)),), "decoder", 20.0))
    assert parts.consumer.noted == []
