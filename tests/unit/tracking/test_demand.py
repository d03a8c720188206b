from __future__ import annotations

import pytest

from tracking.policies.demand import DemandMeter

SECOND = 1_000_000_000


def test_rate_counts_the_frames_that_workers_skipped() -> None:
    meter = DemandMeter()
    for number in range(21):
        if number:
            meter.skipped(2)
        meter.inferred(number * SECOND // 5)
    assert meter.fps == pytest.approx(15.0)


def test_rate_is_unknown_at_first_and_after_the_time_went_back() -> None:
    meter = DemandMeter()
    assert meter.fps is None
    meter.inferred(100 * SECOND)
    meter.inferred(101 * SECOND)
    assert meter.fps is None
    meter.inferred(103 * SECOND)
    assert meter.fps == pytest.approx(2 / 3)
    meter.inferred(SECOND)
    assert meter.fps is None


def test_rate_follows_the_last_seconds() -> None:
    meter = DemandMeter()
    for number in range(100):
        meter.inferred(number * SECOND // 10)
    for number in range(20):
        meter.inferred(10 * SECOND + number * SECOND)
    assert meter.fps == pytest.approx(1.0)
