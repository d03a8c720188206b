"""The overview of `top` from the reports of the processes."""

from __future__ import annotations

from typing import Any

from posebus.bus.registry import CameraRecord
from posebus.messages import Delivery
from posebus.telemetry.overview import DeploymentState, overview
from posebus.telemetry.report_json import read_report
from posebus_cli.observe.screen.top_view import TopView

CAMERAS = [CameraRecord("door", Delivery.LIVE, "network"), CameraRecord("yard", Delivery.LOSSLESS, "file")]


def state(cameras: list[CameraRecord], processes: dict[str, Any]) -> DeploymentState:
    return DeploymentState(cameras, {name: read_report(data) for name, data in processes.items()})


def snapshot(at_s: float, worker_frames: int, door_frames: int) -> DeploymentState:
    at_ns = int(at_s * 1e9)
    door_in = {
        "state": "online",
        "trouble": None,
        "fps": 12.5,
        "backlog_frames": 3,
        "backlog_bytes": 270_000,
        "dropped": {"stale": 2, "overflow": 5, "broker unavailable": 1},
    }
    door_out = {"frames": door_frames, "age_ms": 80.5, "people": 2, "skipped": 7}
    processes: dict[str, dict[str, Any]] = {
        "tracker-1": {"role": "tracker", "at_ns": at_ns, "host": "h", "pid": 3, "cameras": {"door": door_out}},
        "ingest-1": {"role": "ingest", "at_ns": at_ns, "host": "h", "pid": 1, "cameras": {"door": door_in}},
        "worker-1": {
            "role": "worker",
            "at_ns": at_ns,
            "host": "h",
            "pid": 2,
            "ready": True,
            "engine": "openvino",
            "precision": "bf16",
            "device": "cpu",
            "imgsz": 640,
            "frames": worker_frames,
            "skipped": {"too old": 4},
        },
    }
    return state(CAMERAS, processes)


def test_rates_come_from_two_snapshots() -> None:
    shown = overview(snapshot(10, 100, 50), snapshot(12, 160, 74))
    door, _ = shown.cameras
    assert (door.fps_in, door.fps_out, door.age_ms, door.people) == (12.5, 12.0, 80.5, 2)
    assert [(row.role, row.fps) for row in shown.processes] == [("ingest", None), ("worker", 30.0), ("tracker", None)]


def test_dropped_frame_counts_once() -> None:
    # 2 stale + 1 unsent at ingest; the tracker's 7 hold the 5 that overflowed in the broker.
    assert overview(snapshot(10, 0, 0), snapshot(10, 0, 0)).cameras[0].dropped == 10


def test_one_snapshot_gives_no_rate_and_restarted_processes_no_negative_one() -> None:
    one = snapshot(10, 100, 50)
    assert overview(one, one).cameras[0].fps_out is None
    assert overview(one, snapshot(11, 5, 2)).cameras[0].fps_out == 0.0


def test_camera_without_processes_is_shown_without_ingest() -> None:
    yard = overview(snapshot(10, 0, 0), snapshot(11, 0, 0)).cameras[1]
    assert (yard.state, yard.fps_in, yard.fps_out, yard.dropped) == ("no ingest", None, None, 0)


def test_reports_of_other_versions_are_tolerated() -> None:
    odd = state(CAMERAS, {"x": {"role": "ingest", "cameras": ["door"]}, "y": {"role": "worker", "skipped": 3}, "z": {}})
    shown = overview(odd, odd)
    assert [row.role for row in shown.processes] == ["ingest", "worker", "?"]
    assert len(TopView(shown, "redis://h").lines(80, None)) > 5


def test_process_that_is_not_ready_is_shown_as_starting() -> None:
    starting = state([], {"w": {"role": "worker", "ready": False}})
    assert overview(starting, starting).processes[0].does == "starting"
