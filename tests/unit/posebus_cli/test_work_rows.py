"""The times of processes that `top` computes from two reports."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from posebus.telemetry.metrics import Metrics
from posebus.telemetry.overview import DeploymentState, overview
from posebus.telemetry.process_report import ProcessReport
from posebus.telemetry.report_json import read_report
from posebus.telemetry.stage_times import ONE_BY_ONE, Work, window, work
from posebus_cli.observe.screen.top_view import TopView

STEPS = {"read": 0.0003, "decode": 0.0021, "queue": 0.004, "infer": 0.02, "people": 0.001, "commit": 0.0006}


class Worker:
    """A worker in which every frame takes the same time."""

    def __init__(self, pid: int = 7) -> None:
        self.metrics = Metrics()
        self.pid = pid

    def infer(self, frames: int, busy_s: float, infer_s: float = 0.02) -> None:
        for _ in range(frames):
            for stage, seconds in {**STEPS, "infer": infer_s}.items():
                self.metrics.observe("posebus_stage_seconds", seconds, stage=stage)
            self.metrics.observe("posebus_age_at_publish_seconds", 0.11, stage="poses")
        self.metrics.observe("posebus_batch_frames", frames)
        self.metrics.count("posebus_engine_busy_seconds_total", busy_s)
        self.metrics.count("posebus_frames_total", frames)

    def report(self, at_s: float) -> ProcessReport:
        report = {
            "role": "worker",
            "at_ns": int(at_s * 1e9),
            "host": "h",
            "pid": self.pid,
            "engine": "openvino",
            "precision": "bf16",
            "device": "cpu",
            "imgsz": 640,
            "frames": 0,
            "metrics": self.metrics.snapshot(),
        }
        return read_report(json.loads(json.dumps(report)))


def test_only_the_last_seconds_count() -> None:
    worker = Worker()
    worker.infer(64, busy_s=100.0, infer_s=1.5)  # slow, long ago
    worker.metrics.count("posebus_frames_skipped_total", 50, reason="overtaken")
    before = worker.report(10.0)
    worker.infer(4, busy_s=1.0)
    worker.infer(2, busy_s=0.5)
    worker.metrics.count("posebus_frames_skipped_total", 3, reason="too old")
    found = work([window(before, worker.report(12.0))])
    assert found.busy_share == 0.75
    assert found.batch_frames == 3.0
    assert list(found.steps_ms) == list(STEPS)
    assert 15.0 <= found.steps_ms["infer"][0] <= found.steps_ms["infer"][1] <= 20.0
    assert found.age_ms is not None
    assert 100.0 <= found.age_ms[0] <= found.age_ms[1] <= 125.0
    assert found.skipped_per_s == {"too old": 1.5}


def test_same_report_twice_and_a_new_process_give_no_times() -> None:
    worker = Worker()
    worker.infer(4, busy_s=1.0)
    report = worker.report(10.0)
    assert work([window(report, report)]) == work([window(None, report)]) == Work()


def test_processes_without_metrics_give_no_times() -> None:
    assert work([window(read_report({"at_ns": 1}), read_report({"at_ns": 2_000_000_000}))]) == Work()


def test_several_processes_are_combined() -> None:
    workers = [Worker(), Worker()]
    before = [worker.report(10.0) for worker in workers]
    workers[0].infer(1, busy_s=1.0)
    workers[1].infer(3, busy_s=0.5)
    found = work([window(first, worker.report(11.0)) for first, worker in zip(before, workers, strict=True)])
    assert (found.busy_share, found.batch_frames) == (0.75, 2.0)


def test_busy_share_is_at_most_one() -> None:
    worker = Worker()
    worker.infer(1, busy_s=0.0)
    before = worker.report(10.0)
    worker.infer(1, busy_s=1.01)
    assert work([window(before, worker.report(11.0))]).busy_share == 1.0


@pytest.mark.parametrize(("number", "rows"), [(1, 1), (ONE_BY_ONE, ONE_BY_ONE), (ONE_BY_ONE + 1, 1)])
def test_many_processes_share_a_row(number: int, rows: int) -> None:
    workers = [Worker(pid) for pid in range(number)]
    before = DeploymentState([], {str(worker.pid): worker.report(10.0) for worker in workers})
    for worker in workers:
        worker.infer(2, busy_s=0.5)
    shown = overview(before, DeploymentState([], {str(worker.pid): worker.report(11.0) for worker in workers}))
    assert len(shown.processes) == number
    assert len(shown.work) == rows
    assert sum(row.processes for row in shown.work) == number
    assert json.loads(json.dumps(shown.as_dict()))["work"][0]["work"]["busy_share"] == 0.5


def test_table_fits_a_hundred_columns() -> None:
    worker = Worker(123456)
    before = DeploymentState([], {"w": worker.report(10.0)})
    worker.infer(4, busy_s=0.87)
    worker.metrics.count("posebus_frames_skipped_total", 3, reason="too old")
    shown = overview(before, DeploymentState([], {"w": worker.report(11.0)}))
    console = Console(width=100, record=True, force_terminal=False)
    with console.capture() as capture:
        console.print(TopView(shown, "redis://h", whole=True))
    text = capture.get()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    for part in (
        "87%",
        "4.0",
        "openvino bf16 on cpu, 640 px",
        "infer ",
        "skipped too old 3.0/s",
        "worker 123456",
    ):
        assert part in text
    assert "…" not in text
