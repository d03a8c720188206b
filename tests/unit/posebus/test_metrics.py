"""The table of metrics, and the counts of a process."""

from __future__ import annotations

import json
import re
import threading
from itertools import pairwise

import pytest

from posebus.messages import CaptureClock
from posebus.telemetry.metric_table import BY_NAME, COUNTER, GAUGE, HISTOGRAM, TABLE, MetricSpec
from posebus.telemetry.metrics import Metrics, age_s

UNITS = {"seconds", "second", "bytes", "frames", "letters", "people", "inferences", "pixels", "processes"}
UNITS |= {"events", "pictures", "snapshots"}
YES_OR_NO = {"up", "online", "info", "state", "failing"}


@pytest.fixture
def metrics() -> Metrics:
    pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    return Metrics()


@pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
def test_the_table_follows_the_conventions_of_prometheus(spec: MetricSpec) -> None:
    assert re.fullmatch(r"posebus_[a-z]+(_[a-z]+)*", spec.name)
    assert spec.kind in {COUNTER, GAUGE, HISTOGRAM}
    assert spec.name.endswith("_total") == (spec.kind == COUNTER)
    assert set(spec.name.removesuffix("_total").split("_")) & (UNITS | YES_OR_NO), "a name says its unit"
    assert spec.help.endswith(".")
    assert bool(spec.buckets) == (spec.kind == HISTOGRAM)
    assert list(spec.buckets) == sorted(set(spec.buckets))
    assert all(re.fullmatch(r"[a-z]+", label) and label != "le" for label in spec.labels)


def test_no_name_occurs_twice() -> None:
    assert len(BY_NAME) == len(TABLE)


def test_buckets_are_narrow_where_ages_matter() -> None:
    bounds = [bound for bound in BY_NAME["posebus_age_at_publish_seconds"].buckets if bound <= 2.0]
    assert (bounds[0], bounds[-1]) == (0.005, 2.0)
    assert all(above / below <= 2.0 for below, above in pairwise(bounds))


def test_a_snapshot_holds_all_counts(metrics: Metrics) -> None:
    metrics.count("posebus_frames_total")
    metrics.count("posebus_frames_total", 2)
    metrics.count("posebus_frames_skipped_total", 4, reason="too old")
    metrics.count("posebus_frames_skipped_total", 0, reason="overflow")
    metrics.observe("posebus_batch_frames", 3)
    metrics.observe("posebus_batch_frames", 4)
    metrics.observe("posebus_batch_frames", 100)
    metrics.observe("posebus_stage_seconds", 0.02, stage="infer")
    metrics.observe("posebus_stage_seconds", 0.0004, stage="read")
    taken = metrics.snapshot()
    assert taken == {
        "posebus_frames_total": [[3]],
        "posebus_frames_skipped_total": [["too old", 4], ["overflow", 0]],
        "posebus_batch_frames": [[{"sum": 107, "counts": {"4.0": 2, "+Inf": 1}}]],
        "posebus_stage_seconds": [
            ["infer", {"sum": 0.02, "counts": {"0.02": 1}}],
            ["read", {"sum": 0.0004, "counts": {"0.0005": 1}}],
        ],
    }
    assert json.loads(json.dumps(taken)) == taken


def test_two_stages_in_one_process_do_not_count_into_each_other(metrics: Metrics) -> None:
    metrics.count("posebus_frames_total")
    assert Metrics().snapshot() == {}


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda metrics: metrics.count("posebus_nothing_total"), KeyError),
        (lambda metrics: metrics.observe("posebus_stage_seconds", 1.0), ValueError),
        (lambda metrics: metrics.observe("posebus_stage_seconds", 1.0, step="infer"), ValueError),
        (lambda metrics: metrics.observe("posebus_frames_total", 1.0), ValueError),
        (lambda metrics: metrics.count("posebus_frames_total", camera="gate"), ValueError),
        (lambda metrics: metrics.count("posebus_stage_seconds", stage="infer"), ValueError),
        (lambda metrics: metrics.set("posebus_frames_total", 1.0), ValueError),
        (lambda metrics: metrics.count("posebus_frames_total", -1.0), ValueError),
    ],
)
def test_a_wrong_name_label_or_kind_raises(metrics: Metrics, call: object, error: type[Exception]) -> None:
    # Also once the metric is known, when its child is found in the cache.
    metrics.count("posebus_frames_total")
    metrics.observe("posebus_stage_seconds", 1.0, stage="infer")
    with pytest.raises(error):
        call(metrics)  # type: ignore[operator]


def test_no_count_of_several_threads_is_lost(metrics: Metrics) -> None:
    def work(stage: str) -> None:
        start.wait()
        for _ in range(2000):
            metrics.observe("posebus_stage_seconds", 0.002, stage=stage)
            metrics.count("posebus_frames_total")

    start = threading.Barrier(4)
    threads = [threading.Thread(target=work, args=(stage,)) for stage in ("read", "read", "infer", "commit")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = metrics.snapshot()
    assert taken["posebus_frames_total"] == [[8000]]
    counts = {stage: value["counts"] for stage, value in taken["posebus_stage_seconds"]}
    assert counts == {"read": {"0.002": 4000}, "infer": {"0.002": 2000}, "commit": {"0.002": 2000}}


def test_the_age_of_a_recording_is_counted_from_its_publication() -> None:
    assert age_s(1_000_000_000, 1_250_000_000, CaptureClock.ARRIVAL, 1_500_000_000) == 0.5
    assert age_s(1_000_000_000, 1_250_000_000, CaptureClock.FILE, 1_500_000_000) == 0.25
    assert age_s(1_000_000_000, 1_250_000_000, CaptureClock.RTCP, 900_000_000) == 0.0
