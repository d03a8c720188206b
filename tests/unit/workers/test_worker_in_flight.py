"""Entries in flight, refused entries, and the renewal of claims."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.unit.workers.recording_consumer import RecordingConsumer, entry
from workers.intake.in_flight import MAX_REFUSED, RENEWAL_SHARE, ClaimRenewal, InFlight


def test_entry_is_in_flight_until_it_is_released() -> None:
    in_flight, one = InFlight(), entry(1)
    in_flight.add(one)
    assert one.key in in_flight
    assert len(in_flight) == 1
    in_flight.release([one])
    assert one.key not in in_flight
    assert not in_flight.is_refused(one.key)


def test_refused_entry_is_remembered_until_it_is_in_flight_again() -> None:
    in_flight, one = InFlight(), entry(1)
    in_flight.add(one)
    in_flight.refuse(one)
    assert one.key not in in_flight
    assert in_flight.is_refused(one.key)
    in_flight.add(one)
    assert not in_flight.is_refused(one.key)


def test_only_the_last_refused_entries_are_remembered() -> None:
    in_flight = InFlight()
    for seq in range(MAX_REFUSED + 1):
        in_flight.refuse(entry(seq))
    assert not in_flight.is_refused(entry(0).key)
    assert in_flight.is_refused(entry(1).key)
    assert in_flight.is_refused(entry(MAX_REFUSED).key)


def test_waiting_ends_when_few_enough_entries_are_in_flight() -> None:
    in_flight, one = InFlight(), entry(1)
    in_flight.add(one)
    assert in_flight.wait_for_at_most(1, timeout_s=0.0)
    assert not in_flight.wait_for_at_most(0, timeout_s=0.0)
    threading.Timer(0.02, in_flight.release, [[one]]).start()
    assert in_flight.wait_for_at_most(0, timeout_s=60.0)


def test_claim_is_due_once_per_period() -> None:
    in_flight, one = InFlight(), entry(1)
    in_flight.add(one)
    now_s = time.monotonic()
    assert in_flight.take_due(now_s, after_s=10.0) == []
    assert in_flight.take_due(now_s + 11.0, after_s=10.0) == [one.key]
    assert in_flight.take_due(now_s + 12.0, after_s=10.0) == []
    assert in_flight.take_due(now_s + 21.0, after_s=10.0) == [one.key]


@pytest.mark.parametrize("failures", [0, 1])
def test_claims_are_renewed_and_an_unreachable_broker_is_left_to_the_main_loop(failures: int) -> None:
    consumer: Any = RecordingConsumer()
    in_flight, one = InFlight(), entry(1)
    in_flight.add(one)
    consumer.failures = failures
    renewal = ClaimRenewal(consumer, in_flight, reclaim_after_s=0.01)
    renewal.step(time.monotonic() + RENEWAL_SHARE * 0.01)
    assert consumer.renewed == ([[one.key]] if not failures else [])
