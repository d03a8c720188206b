"""Process reports as JSON: what one version writes, another reads, and nothing malformed breaks a reader."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.telemetry.process_report import (
    INGEST,
    TRACKER,
    VERSION,
    WORKER,
    CaptureReport,
    Enhancement,
    GateReport,
    MotionReport,
    ProcessReport,
    TrackingReport,
    WorkerReport,
)
from posebus.telemetry.report_json import read_report, report_to_json

GATE = GateReport("eager", open=True, inferred=3, still=2, rate=1, log=((5, "opened"), (9, "closed")))
CAPTURE = CaptureReport(
    state="online",
    trouble="slow",
    frames=7,
    fps=12.5,
    dropped={"stale": 2},
    backlog_s=0.4,
    backlog_frames=3,
    backlog_bytes=270_000,
    backlog_limit_bytes=10**6,
    gate=GATE,
    motion=MotionReport(120.5, 3),
)
TRACKING = TrackingReport(
    frames=9, people=2, skipped=3, skipped_by_reason={"late": 3}, age_ms=80.5, view="640/4", interval_s=0.25
)
REPORTS = [
    ProcessReport(
        WORKER,
        metrics={"posebus_frames_total": [[4]]},
        worker=WorkerReport(
            engine="openvino",
            precision="bf16",
            device="cpu",
            imgsz="auto",
            largest_imgsz=1280,
            frames=4,
            dead=1,
            skipped={"too old": 2},
            enhance={"door": Enhancement(8, "brighter")},
        ),
    ),
    ProcessReport(INGEST, captures={"door": CAPTURE, "yard": CaptureReport(state="offline")}),
    ProcessReport(TRACKER, tracked={"door": TRACKING, "yard": TrackingReport(frames=0)}),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=20,
)
NAMES = ["role", "ready", "metrics", "cameras", "engine", "imgsz", "skipped", "enhance", "host", "pid", "at_ns"]
CAMERA_NAMES = ["state", "frames", "fps", "dropped", "gate", "age_ms", "skipped_by_reason", "view", "log", "open"]
CAMERA_NAMES += ["motion", "shots"]


def on_the_wire(report: ProcessReport) -> dict[str, Any]:
    """The object in the broker: the registry adds who reports and when."""
    data = {"role": report.role, "at_ns": 5, "host": "h", "pid": 7, **report_to_json(report)}
    return json.loads(json.dumps(data))  # type: ignore[no-any-return]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.role)
def test_a_report_is_read_as_it_was_written(report: ProcessReport) -> None:
    assert read_report(on_the_wire(report)) == replace(report, host="h", pid=7, at_ns=5)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.role)
def test_fields_of_a_newer_version_are_ignored(report: ProcessReport) -> None:
    newer = on_the_wire(report) | {"version": VERSION + 1, "mood": "fine"}
    for camera in newer.get("cameras", {}).values():
        camera["weather"] = ["rain"]
    assert read_report(newer) == replace(report, host="h", pid=7, at_ns=5, version=VERSION + 1)


def test_field_names_that_older_readers_know_are_written() -> None:
    worker, ingest, tracker = map(on_the_wire, REPORTS)
    names = {"engine", "precision", "device", "imgsz", "largest_imgsz", "frames", "dead", "skipped", "enhance"}
    assert names | {"ready", "metrics", "version"} <= worker.keys()
    assert worker["enhance"] == {"door": {"captured_at_ns": 8, "text": "brighter"}}
    assert ingest["cameras"]["door"] == {
        "state": "online",
        "trouble": "slow",
        "frames": 7,
        "fps": 12.5,
        "dropped": {"stale": 2},
        "backlog_s": 0.4,
        "backlog_frames": 3,
        "backlog_bytes": 270_000,
        "backlog_limit_bytes": 10**6,
        "gate": {
            "policy": "eager",
            "open": True,
            "log": [[5, "opened"], [9, "closed"]],
            "inferred": 3,
            "still": 2,
            "rate": 1,
        },
        "motion": {"px_per_s": 120.5, "shots": 3},
    }
    assert tracker["cameras"]["door"] == {
        "frames": 9,
        "people": 2,
        "skipped": 3,
        "skipped_by_reason": {"late": 3},
        "age_ms": 80.5,
        "view": "640/4",
        "interval_s": 0.25,
    }
    assert not {"view", "interval_s"} & tracker["cameras"]["yard"].keys()


def test_a_report_of_before_versions_were_counted_is_read() -> None:
    worker = read_report(
        {"role": "worker", "imgsz": 640, "enhance": {"door": "brighter", "yard": {"what": "denoised"}}}
    )
    assert worker.version == 0
    assert worker.worker is not None
    assert worker.worker.largest_imgsz == 640
    assert worker.worker.enhance == {"door": Enhancement(0, "brighter"), "yard": Enhancement(0, "denoised")}


@given(
    role=st.sampled_from([WORKER, TRACKER, INGEST]) | JSON,
    fields=st.dictionaries(st.sampled_from(NAMES), JSON),
    camera=st.dictionaries(st.sampled_from(CAMERA_NAMES), JSON),
)
def test_a_malformed_report_reads_as_a_report(role: Any, fields: dict[str, Any], camera: dict[str, Any]) -> None:
    for data in ({**fields, "role": role}, {**fields, "role": role, "cameras": {"door": camera}}):
        report = read_report(data)
        json.dumps(report_to_json(report))
        assert all(isinstance(one.frames, int | None) for one in report.captures.values())


def test_malformed_fields_read_as_their_defaults() -> None:
    report = read_report(
        {"role": "ingest", "pid": "x", "cameras": {"door": {"fps": "fast", "dropped": [1], "gate": 3}}}
    )
    assert report.pid == 0
    assert report.captures == {"door": CaptureReport()}
    assert read_report({"role": "tracker", "cameras": ["door"]}).tracked == {}
