"""A short run of the GPU benchmark on the CPU: each of its sides runs and is reported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SHORT = ("--batches", "2", "--workers", "1", "--runs", "1", "--frames", "4", "--clip-frames", "4", "--imgsz", "160")
PIPELINE = ("--cameras", "2", "--seconds", "1", "--warm-up", "0")


@pytest.mark.thorough  # every side loads networks of its own, which is a minute of two cores
def test_every_side_runs_and_is_reported(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", *SHORT, *PIPELINE, "--json", str(out)]
    done = subprocess.run(
        [*command, "--cache", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    (bare,), (ours,), (theirs,) = found["bare"], found["ours"], found["theirs"]
    assert (ours["batch"], ours["workers"]) == (2, 1)
    assert min(bare["fps"], ours["fps"], theirs["fps"]) > 0
    # More frames wait than the worker has in flight, so it always had frames.
    assert ours["waiting"] > 4
    assert "| 2 | 1 | " in done.stdout
    assert "no measurement" in done.stdout
