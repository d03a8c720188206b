"""Why the process of a camera ends, what it announces then, and what changes without a new process."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from unit.ingest.test_capture_stage import stage_of
from unit.ingest.test_supervision import Machine

from ingest.announcing import LOOK_EVERY_S, RecordChanges
from ingest.leaving import CHANGED, REMOVED, STOPPED, Leaving, reason_from
from posebus.bus.registry import CameraRecord
from posebus.config.cameras.region import read_region
from posebus.config.cameras.schedule import DAYS
from posebus.config.loading import dump_settings
from posebus.config.settings import CameraSettings, Settings
from posebus.messages import Delivery, EndOfStream
from posebus.telemetry.camera_state import CameraState
from posebus.telemetry.overview import DeploymentState, overview
from posebus.telemetry.process_report import INGEST, CaptureReport, ProcessReport
from posebus.telemetry.reports import capture_of
from tests.polling import wait_until
from tests.unit.ingest.memory_writer import MemoryWriter

REGION = read_region([[0, 0], [1, 0], [1, 1]])
RULES = {"gate": {"kind": "line", "points": [[0, 0], [1, 1]]}}


def written(folder: Path, **values: Any) -> Path:
    """The settings file of the camera `door`."""
    path = folder / "door.yaml"
    dump_settings(Settings(cameras={"door": CameraSettings(**{"source": "usb:0", **values})}), path)
    return path


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, Leaving(STOPPED, False)),
        ({}, {"paused": True}, Leaving("paused", True)),
        ({}, {"region": REGION}, Leaving(STOPPED, False)),
        ({}, {"max_fps": 3}, Leaving(CHANGED, False)),
        ({}, {"rotate": 90}, Leaving(CHANGED, True)),  # the same people elsewhere
        ({}, {"source": "usb:1"}, Leaving(CHANGED, True)),
        ({"source": "a.mp4"}, {"source": "a.mp4", "paused": True}, Leaving("paused", False)),  # continues there
        ({"source": "a.mp4", "loop": True}, {"source": "a.mp4", "loop": True, "paused": True}, Leaving("paused", True)),
    ],
)
def test_the_settings_file_says_why_and_whether_the_source_ends(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], expected: Leaving
) -> None:
    running = CameraSettings(**{"source": "usb:0", **before})
    assert reason_from(written(tmp_path, **after), "door", running) == expected


def test_a_camera_outside_its_schedule_says_when_it_comes_back(tmp_path: Path) -> None:
    far = DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    leaving = reason_from(written(tmp_path, schedule=f"{far} 07:00-08:00 UTC"), "door", CameraSettings(source="usb:0"))
    assert leaving == Leaving(f"off until {far} 07:00 UTC", ends_source=True)


def test_a_camera_without_a_file_was_removed(tmp_path: Path) -> None:
    leaving = reason_from(tmp_path / "gone.yaml", "door", CameraSettings(source="usb:0"))
    assert leaving == Leaving(REMOVED, ends_source=True)


@pytest.mark.parametrize(
    ("leaving", "source", "kinds", "ends"),
    [
        (Leaving(), "usb:0", ["online", "offline"], False),
        (Leaving("paused", True), "usb:0", ["online", "offline"], True),
        (Leaving("paused", False), "x.mp4", ["online"], False),
    ],
)
def test_what_is_published_when_the_process_ends(leaving: Leaving, source: str, kinds: list[str], ends: bool) -> None:
    writer = MemoryWriter()
    stage, _ = stage_of([*range(3), threading.Event()], writer=writer, source=source)
    stage.stop_reason = lambda: leaving
    wait_until(lambda: writer.frames(), "a frame", meanwhile=lambda: stage.step(time.monotonic()))
    stage.drain()
    stage.close()
    assert writer.kinds() == kinds
    found = [item.reason for item in writer.items if isinstance(item, EndOfStream)]
    assert found == ([leaving.reason] if ends else [])
    if kinds[-1] == "offline":
        assert writer.events[-1].data["reason"] == leaving.reason


def test_a_camera_without_a_frame_has_no_source_to_end() -> None:
    writer = MemoryWriter()
    stage, _ = stage_of(writer=writer, source="usb:0")
    stage.stop_reason = lambda: Leaving("paused", ends_source=True)
    wait_until(lambda: "offline" in writer.kinds(), "the failure", meanwhile=lambda: stage.step(time.monotonic()))
    stage.drain()
    assert writer.items == []
    assert [event.data["reason"] for event in writer.events] == ["the script is over", "paused"]


def test_pausing_schedule_region_and_rules_start_no_new_process(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.use(a="usb:0", b="usb:1")
    assert machine.steps() == ["a", "b"]
    for values in ({"region": REGION}, {"rules": RULES}, {"schedule": "00:00-24:00 UTC"}, {}):
        machine.use(a="usb:0", b=CameraSettings(source="usb:1", **values))
        assert machine.steps(2) == []
        assert machine.reason("b", CameraSettings(source="usb:1")) == STOPPED
    machine.use(a="usb:0", b=CameraSettings(source="usb:1", rotate=90))
    assert machine.steps() == ["b"]


def test_new_regions_and_rules_are_announced_once_and_again_if_that_failed(tmp_path: Path) -> None:
    announced: list[Mapping[str, object]] = []
    fails = [True]

    def announce(fields: Mapping[str, object]) -> None:
        if fails:
            fails.pop()
            raise ConnectionError
        announced.append(fields)

    changes = RecordChanges(written(tmp_path), "door", CameraSettings(source="x"), announce)
    now_s = 100.0
    changes.poll(now_s)
    written(tmp_path, region=REGION)
    with pytest.raises(ConnectionError):
        changes.poll(now_s + LOOK_EVERY_S)
    for step in range(2, 6):
        changes.poll(now_s + step * LOOK_EVERY_S)
    written(tmp_path, max_fps=5.0, region=REGION)
    changes.poll(now_s + 6 * LOOK_EVERY_S)
    (tmp_path / "door.yaml").unlink()
    changes.poll(now_s + 7 * LOOK_EVERY_S)
    written(tmp_path)
    changes.poll(now_s + 8 * LOOK_EVERY_S)
    written(tmp_path, rules=RULES)
    changes.poll(now_s + 9 * LOOK_EVERY_S)
    line = {"kind": "line", "points": [[0.0, 0.0], [1.0, 1.0]]}
    shown = [(one["region"], one["rules"]) for one in announced]
    assert shown == [(REGION, {}), (None, {}), (None, {"gate": line})]


def test_a_region_that_changed_while_the_process_loaded_is_announced(tmp_path: Path) -> None:
    announced: list[Mapping[str, object]] = []
    changes = RecordChanges(written(tmp_path, region=REGION), "door", CameraSettings(source="x"), announced.append)
    changes.poll(0.0)
    changes.poll(LOOK_EVERY_S)
    assert [one["region"] for one in announced] == [REGION]


def test_evidence_is_switched_while_the_process_runs(tmp_path: Path) -> None:
    announced: list[Mapping[str, Any]] = []
    applied: list[CameraSettings] = []
    camera = CameraSettings(source="usb:0")
    changes = RecordChanges(written(tmp_path), "door", camera, announced.append)
    changes.apply = applied.append
    changes.poll(0.0)
    written(tmp_path, evidence={"mode": "on", "max_fps": 2})
    changes.poll(LOOK_EVERY_S)
    changes.poll(2 * LOOK_EVERY_S)
    assert [fields["evidence"] for fields in announced] == [True]
    assert [(one.evidence.mode, one.evidence.max_fps) for one in applied] == [("auto", 5.0), ("on", 2.0)]


def test_a_process_that_reads_a_camera_is_believed_before_a_supervisor_by_which_it_is_off() -> None:
    off = ProcessReport(INGEST, captures={"door": CaptureReport(CameraState.PAUSED, "paused")}, at_ns=2)
    reads = ProcessReport(INGEST, captures={"door": CaptureReport(CameraState.ONLINE)}, at_ns=1)
    assert capture_of({"a": off, "b": reads}, "door").state == CameraState.ONLINE
    assert capture_of({"a": off}, "door") == CaptureReport(CameraState.PAUSED, "paused")
    state = DeploymentState([CameraRecord("door", Delivery.LIVE, "usb")], {"a": off})
    shown = overview(state, state)
    assert (shown.cameras[0].state, shown.cameras[0].trouble) == ("paused", "paused")
    assert shown.processes[0].does == "door (paused)"
