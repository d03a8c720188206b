"""What commands see of a deployment after a change of its settings."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from posebus.config.settings import CameraSettings, Settings
from posebus.control.deployment import DeploymentControl, RunningDeployment
from posebus.reloading.difference import difference
from posebus.reloading.followed import Update
from posebus.telemetry.camera_state import CameraState
from posebus.telemetry.process_report import INGEST, CaptureReport, ProcessReport


class InForce:
    """Settings that nothing asks to change."""

    path = None

    def __init__(self, settings: Settings) -> None:
        self.settings = settings


@pytest.mark.parametrize(
    ("fields", "is_settled"),
    [
        # It is applied by the process that reads the camera already.
        ({"region": [[0, 0], [1, 0], [1, 1]]}, True),
        # Another process will read it, and has not reported yet.
        ({"max_fps": 5.0}, False),
    ],
)
def test_a_report_counts_after_a_change_that_starts_no_process(
    fields: dict[str, Any], is_settled: bool, tmp_path: Path
) -> None:
    capture = CaptureReport(state=CameraState.ONLINE)
    report = ProcessReport(INGEST, captures={"door": capture}, host=socket.gethostname())
    before, after = (Settings(cameras={"door": CameraSettings(source="usb:0", **more)}) for more in ({}, fields))
    deployment = RunningDeployment("up", InForce(after), lambda: {"ingest-1": report}, dict)
    with DeploymentControl(deployment, str(tmp_path)) as control:
        control.updated(Update(after, before, difference(before, after)))
    (camera,) = deployment.status().cameras
    assert camera.is_settled == is_settled
