"""Jumps of wall clocks are noticed, and ages of frames and silences of processes stay right."""

from __future__ import annotations

import random

import pytest

from posebus.bus.registry import PROCESS_SILENT_S, Silences
from posebus.bus.wall_clock import ClockWatch, FrameAges

HOUR_MS = 3_600_000.0
HOUR_NS = 3_600_000_000_000
DOOR = ("door", 1)


def test_drift_is_no_jump_and_a_jump_is_reported_once() -> None:
    watch = ClockWatch()
    assert watch.jump_ms(5_000.0, 0.0) == 0
    assert watch.jump_ms(6_000.5, 1_000.0) == 0
    assert watch.jump_ms(7_000.0 + HOUR_MS, 2_000.0) == pytest.approx(HOUR_MS, abs=1)
    assert watch.jump_ms(8_000.0 + HOUR_MS, 3_000.0) == 0
    assert watch.jump_ms(9_000.0, 4_000.0) == pytest.approx(-HOUR_MS, abs=1)


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS])
@pytest.mark.parametrize("seen_after_ms", [0.0, 900.0])
def test_a_frame_is_as_old_as_it_was_before_the_brokers_clock_jumped(jump_ms: float, seen_after_ms: float) -> None:
    """Ids as in a real stream: they never decrease, so after a jump back all have the last date and a counter."""
    rng = random.Random(5)
    ages = FrameAges()
    last_date_ms = 0.0
    for number in range(400):
        captured_ms = 1e12 + number * 40.0
        received_ms = number * 40.0 + rng.uniform(3, 20)  # monotonic
        wall_ms = 1e12 + received_ms + (jump_ms if number >= 200 else 0.0)
        dated = wall_ms > last_date_ms
        last_date_ms = max(wall_ms, last_date_ms)
        known_ms = 1e12 + (jump_ms if received_ms >= 200 * 40 + seen_after_ms else 0.0)
        waited_ms = rng.choice([1.0, 300.0, 2_000.0])
        now_ms = received_ms + waited_ms
        by_broker_ms = now_ms + known_ms - last_date_ms if dated else None
        age_ms = ages.age_ms(DOOR, captured_ms, by_broker_ms, now_ms)
        assert age_ms == pytest.approx(waited_ms, abs=60), f"frame {number}"


def test_a_worker_that_starts_after_the_clock_went_back_takes_the_newest_frame_for_new() -> None:
    ages = FrameAges()
    assert ages.age_ms(DOOR, 1_000.0, None, 51_000.0) == 0
    assert ages.age_ms(DOOR, 1_040.0, None, 51_010.0) == 0  # quicker than the first: that one was 30 ms old
    assert ages.age_ms(DOOR, 1_080.0, None, 51_550.0) == pytest.approx(500)


def test_the_memory_of_epochs_is_bounded() -> None:
    ages = FrameAges()
    for epoch in range(FrameAges.MAX_EPOCHS + 100):
        ages.age_ms(("door", epoch), 0.0, 5.0, 10.0)
    assert len(ages._transit_ms) == FrameAges.MAX_EPOCHS


@pytest.mark.parametrize("jump_ns", [HOUR_NS, -HOUR_NS])
def test_living_and_dead_processes_are_told_apart_through_jumps_of_the_brokers_clock(jump_ns: int) -> None:
    silences = Silences()
    died_at = 10
    for second in range(60):
        now_ns = HOUR_NS * 5 + second * 1_000_000_000 + (jump_ns if second >= 12 else 0)
        dead_ns = HOUR_NS * 5 + min(second, died_at) * 1_000_000_000
        silent_s = dict(silences.update({"living": now_ns, "dead": dead_ns}, now_ns, 1000.0 + second))
        assert silent_s["living"] == 0
        assert silent_s["dead"] == max(0, second - died_at)


def test_the_first_call_goes_by_dates_and_ignores_dates_of_the_future() -> None:
    now_ns = HOUR_NS * 5
    dates = {"living": now_ns - 1_000_000_000, "silent": now_ns - 60_000_000_000, "future": now_ns + HOUR_NS}
    silent_s = dict(Silences().update(dates, now_ns, 7.0))
    assert silent_s["living"] == pytest.approx(1.0)
    assert silent_s["silent"] > PROCESS_SILENT_S
    assert silent_s["future"] > PROCESS_SILENT_S
