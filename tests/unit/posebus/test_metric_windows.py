"""Differences between two snapshots, and quantiles from buckets."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.telemetry.metric_table import BY_NAME
from posebus.telemetry.metric_windows import Distribution, Reading, merged, read_snapshot
from posebus.telemetry.metrics import Metrics

STAGE = "posebus_stage_seconds"
SECONDS = st.lists(st.floats(0.00005, 4.9), min_size=1, max_size=60)


def distribution(*counts: float, total: float = 0.0) -> Distribution:
    """Buckets up to 1, 2, 4, 8 and above."""
    bounds = (1.0, 2.0, 4.0, 8.0)
    keys = (*bounds, math.inf)
    return Distribution({key: n for key, n in zip(keys, counts, strict=False) if n}, total, bounds)


def measured(values: list[float], metrics: Metrics | None = None) -> Metrics:
    metrics = metrics or Metrics()
    for value in values:
        metrics.observe(STAGE, value, stage="infer")
    return metrics


def reading(metrics: Metrics) -> Reading:
    """The reading of another process, through JSON."""
    return read_snapshot(json.loads(json.dumps(metrics.snapshot())))


@pytest.mark.parametrize(
    ("counts", "q", "expected"),
    [
        ((0, 0, 0, 0), 0.5, None),
        ((10,), 0.5, 0.5),  # the first bucket begins at 0
        ((0, 10), 0.5, 1.5),
        ((0, 10), 1.0, 2.0),
        ((5, 0, 5), 0.5, 1.0),
        ((5, 0, 5), 0.75, 3.0),  # from the lower bound of its bucket, though the one below is empty
        ((1, 1, 1, 1), 0.25, 1.0),
        ((0, 0, 0, 0, 3), 0.5, 8.0),  # above all bounds
        ((9, 0, 0, 0, 1), 0.99, 8.0),
    ],
)
def test_quantiles_are_interpolated_like_those_of_prometheus(
    counts: tuple[float, ...], q: float, expected: float | None
) -> None:
    assert distribution(*counts).quantile(q) == expected


@given(SECONDS, st.floats(0.01, 1.0))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], q: float) -> None:
    found = reading(measured(values)).distribution(STAGE, "infer").quantile(q)
    true = sorted(values)[math.ceil(q * len(values) - 1e-9) - 1]
    bounds = (0.0, *BY_NAME[STAGE].buckets)
    upper = next(bound for bound in bounds if true <= bound)
    lower = bounds[bounds.index(upper) - 1]
    assert found is not None
    assert lower - 1e-9 <= found <= upper + 1e-9


@given(SECONDS, SECONDS)
def test_a_window_holds_the_observations_after_its_start(first: list[float], then: list[float]) -> None:
    metrics = measured(first)
    before = reading(metrics)
    window = reading(measured(then, metrics)).since(before).distribution(STAGE, "infer")
    alone = reading(measured(then)).distribution(STAGE, "infer")
    assert window.counts == alone.counts
    assert window.sum == pytest.approx(alone.sum, abs=1e-6)
    assert window.mean() == pytest.approx(sum(then) / len(then), abs=1e-6)


def test_counters_in_a_window() -> None:
    metrics = Metrics()
    metrics.count("posebus_frames_skipped_total", 3, reason="too old")
    before = reading(metrics)
    metrics.count("posebus_frames_skipped_total", 2, reason="too old")
    metrics.count("posebus_frames_skipped_total", 1, reason="overtaken")
    window = reading(metrics).since(before)
    assert window.number("posebus_frames_skipped_total", "too old") == 2
    assert window.number("posebus_frames_skipped_total", "overtaken") == 1
    assert window.number("posebus_frames_total") == 0
    assert window.distribution(STAGE, "infer").quantile(0.5) is None


def test_a_restarted_counter_counts_from_zero() -> None:
    before, now = Metrics(), Metrics()
    before.count("posebus_frames_total", 100)
    now.count("posebus_frames_total", 4)
    measured([0.1] * 9, before)
    measured([0.1, 0.2], now)
    window = reading(now).since(reading(before))
    assert window.number("posebus_frames_total") == 4
    assert window.distribution(STAGE, "infer").count == 2


def test_several_processes_together() -> None:
    both = merged([distribution(1, 0, 2, total=6.0), distribution(3, 0, 0, 1, total=7.0)])
    assert (both.count, both.sum) == (7, 13.0)
    assert both.counts == {1.0: 4, 4.0: 2, 8.0: 1}
    assert merged([]).quantile(0.5) is None


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "text",
        {"posebus_frames_total": 3},
        {"posebus_frames_total": [3]},
        {"posebus_frames_total": [["stage", 3]]},
        {"posebus_frames_total": [["three"]]},
        {"posebus_frames_total": [[True]]},
        {"posebus_of_tomorrow_total": [[3]]},
        {STAGE: [["infer", 3]]},
        {STAGE: [["infer", {"counts": [1, 2], "sum": 1}]]},
        {STAGE: [["infer", {"counts": {"x": 1}, "sum": 1}]]},
        {STAGE: [["infer", {"counts": {"0.1": -1}, "sum": 1}]]},
        {STAGE: [["infer", {"counts": {"0.1": 1}}]]},
        {STAGE: [["infer", {"counts": {"nan": 1}, "sum": 1}]]},
    ],
)
def test_malformed_values_are_left_out(odd: Any) -> None:
    assert read_snapshot(odd) == Reading()


def test_buckets_of_another_version_are_kept() -> None:
    snapshot = {STAGE: [["infer", {"counts": {"0.06": 4, "+Inf": 1}, "sum": 0.3}]]}
    found = read_snapshot(snapshot).distribution(STAGE, "infer")
    assert found.count == 5
    assert found.quantile(0.4) == pytest.approx(0.055)  # between our 0.05 and their 0.06
