"""The reports of a deployment in Prometheus' text format, read back by its own parser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from posebus.bus.registry import CameraRecord
from posebus.endpoints.prometheus import families
from posebus.messages import Delivery
from posebus.telemetry.metric_table import BY_NAME, COUNTER
from posebus.telemetry.metrics import Metrics
from posebus.telemetry.overview import DeploymentState
from posebus.telemetry.report_json import read_report

CAMERAS = [CameraRecord("door", Delivery.LIVE, "network"), CameraRecord("yard", Delivery.LIVE, "usb")]
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def exposed(processes: dict[str, Any]) -> tuple[Samples, dict[str, Metric]]:
    """(value by name and labels, family by name) after a round trip through JSON and the text format."""
    reports = {name: read_report(data) for name, data in json.loads(json.dumps(processes)).items()}
    state = DeploymentState(CAMERAS, reports)

    class Reports:
        def collect(self) -> Iterator[Metric]:
            return families(state)

    registry = CollectorRegistry()
    registry.register(Reports())
    found = list(text_string_to_metric_families(generate_latest(registry).decode()))
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in found
        for sample in family.samples
    }
    return samples, {family.name: family for family in found}


def labelled(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


@pytest.fixture
def worker() -> Metrics:
    metrics = Metrics()
    metrics.count("posebus_frames_total", 7)
    metrics.count("posebus_engine_busy_seconds_total", 1.5)
    metrics.count("posebus_frames_skipped_total", 2, reason='too "old"\n')
    for value in (0.001, 0.012, 0.013, 9.0):
        metrics.observe("posebus_stage_seconds", value, stage="infer")
    return metrics


def test_counts_of_a_process_have_its_labels(worker: Metrics) -> None:
    report = {"role": "worker", "host": "gpu-1", "metrics": worker.snapshot()}
    samples, found = exposed({"worker-gpu-1-7": report})
    who = {"role": "worker", "host": "gpu-1", "process": "worker-gpu-1-7"}
    assert samples[labelled("posebus_frames_total", **who)] == 7
    assert samples[labelled("posebus_engine_busy_seconds_total", **who)] == 1.5
    assert samples[labelled("posebus_frames_skipped_total", **who, reason='too "old"\\n')] == 2
    buckets = {
        dict(labels)["le"]: value for (name, labels), value in samples.items() if name == "posebus_stage_seconds_bucket"
    }
    assert buckets["0.0005"] == 0
    assert (buckets["0.001"], buckets["0.01"], buckets["0.015"], buckets["5.0"], buckets["+Inf"]) == (1, 1, 3, 3, 4)
    assert len(buckets) == len(BY_NAME["posebus_stage_seconds"].buckets) + 1
    assert samples[labelled("posebus_stage_seconds_count", **who, stage="infer")] == 4
    assert samples[labelled("posebus_stage_seconds_sum", **who, stage="infer")] == pytest.approx(9.026)
    for name, family in found.items():
        spec = BY_NAME.get(name) or BY_NAME[f"{name}_total"]
        assert family.type == spec.kind
        assert family.documentation == spec.help
        assert name.endswith("_total") == (spec.kind == COUNTER) or spec.kind == COUNTER


def test_two_processes_have_different_labels(worker: Metrics) -> None:
    report = {"role": "worker", "host": "h", "metrics": worker.snapshot()}
    samples, _ = exposed({"worker-1": report, "worker-2": report})
    frames = [labels for name, labels in samples if name == "posebus_frames_total"]
    assert {dict(labels)["process"] for labels in frames} == {"worker-1", "worker-2"}


def test_metrics_of_cameras_come_from_ingest_and_tracker() -> None:
    source = {
        "state": "online",
        "frames": 50,
        "fps": 12.5,
        "backlog_s": 0.25,
        "backlog_frames": 3,
        "backlog_bytes": 270_000,
        "dropped": {"publisher behind": 2, "overflow": 5},
    }
    tracked = {"frames": 40, "age_ms": 80.5, "people": 2, "skipped": 6, "skipped_by_reason": {"overflow": 5, "late": 1}}
    samples, _ = exposed(
        {
            "i": {"role": "ingest", "host": "h", "cameras": {"door": source}},
            "t": {"role": "tracker", "host": "h", "cameras": {"door": tracked}},
        }
    )
    zeros = {
        labelled("posebus_camera_dropped_frames_total", camera=camera, reason=reason): 0.0
        for camera in ("door", "yard")
        for reason in ("overflow", "too old", "overtaken")
    }
    states = {
        labelled("posebus_camera_state", camera=camera, state=state): float(state == now)
        for camera, now in (("door", "online"), ("yard", "no ingest"))
        for state in ("connecting", "online", "offline", "standby", "ended", "paused", "off", "given up", "no ingest")
    }
    assert samples == zeros | states | {
        labelled("posebus_processes_ready", role="ingest"): 1,
        labelled("posebus_processes_ready", role="worker"): 0,
        labelled("posebus_processes_ready", role="tracker"): 1,
        labelled("posebus_processes_ready", role="evidence"): 0,
        labelled("posebus_processes_ready", role="sink"): 0,
        labelled("posebus_camera_backlog_seconds", camera="door", delivery="live"): 0.25,
        labelled("posebus_camera_online", camera="door"): 1,
        labelled("posebus_camera_online", camera="yard"): 0,
        labelled("posebus_camera_frames_per_second", camera="door"): 12.5,
        labelled("posebus_camera_frames_total", camera="door", stage="frames"): 50,
        labelled("posebus_camera_frames_total", camera="door", stage="tracks"): 40,
        labelled("posebus_camera_backlog_frames", camera="door"): 3,
        labelled("posebus_camera_backlog_bytes", camera="door"): 270_000,
        labelled("posebus_camera_people", camera="door"): 2,
        labelled("posebus_camera_age_seconds", camera="door"): 0.0805,
        labelled("posebus_camera_dropped_frames_total", camera="door", reason="publisher behind"): 2,
        labelled("posebus_camera_dropped_frames_total", camera="door", reason="overflow"): 5,
        labelled("posebus_camera_dropped_frames_total", camera="door", reason="late"): 1,
    }


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"role": "worker", "metrics": 7},
        {"role": "worker", "metrics": {"posebus_frames_total": [["x", "y", 3]], "posebus_new": [[1]]}},
        {"role": "ingest", "cameras": ["door"]},
        {"role": "ingest", "cameras": {"door": "online"}},
        {"role": "ingest", "cameras": {"door": {"state": 3, "fps": "fast", "dropped": [1]}}},
        {"role": "tracker", "cameras": {"door": {"age_ms": "old", "skipped_by_reason": {"late": None}}}},
    ],
)
def test_malformed_reports_are_left_out(report: dict[str, Any]) -> None:
    samples, _ = exposed({"odd": report})
    assert samples[labelled("posebus_camera_online", camera="door")] == 0
    assert not [name for name, _ in samples if not name.startswith(("posebus_camera_", "posebus_processes_ready"))]
