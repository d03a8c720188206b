"""Short runs of the broker benchmark: every published frame is accounted for, and Ctrl-C prints the table so far."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.broker.capacity import Step
from benchmarks.broker.results import read
from tests.conftest import ROOT

SHORT = ("--cameras", "3", "--warm-up", "0.5", "--seconds", "2", "--no-knee", "--no-costs")


def command(clip: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.broker", "--clip", str(clip), *options]


def only_step(path: Path) -> Step:
    (run,), _ = read(path)
    (step,) = run.ramp
    return step


def test_every_published_frame_is_tracked_or_skipped_and_counted(shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "broker.json"
    clip = shared_data / "TUD-Stadtmitte.mp4"
    options = (*SHORT, "--servers", "2", "--shards", "2", "--json", str(out))
    done = subprocess.run(command(clip, *options), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    step = only_step(out)
    assert step.published_total > 0
    assert step.published_total == step.tracks_total + step.skipped_total
    # The frames of the window are some of the whole step's.
    assert 0 < step.published <= step.published_total
    assert 0 < step.tracks <= step.tracks_total
    assert step.servers == 2
    assert step.in_bytes > step.published * step.jpeg_bytes * 0.9
    assert step.out_bytes > step.published * step.jpeg_bytes * 0.9
    # Each frame is added to the streams of frames, poses and tracks.
    assert step.commands["xadd"][0] >= 2 * step.tracks
    assert "| 3 | 15 |" in done.stdout
    assert json.loads(out.read_text())["machine"]["size_px"] == [640, 480]


@pytest.mark.thorough
def test_ctrl_c_ends_all_processes_and_prints_the_steps_so_far(shared_data: Path) -> None:
    clip = shared_data / "TUD-Stadtmitte.mp4"
    options = ("--cameras", "3", "4", "--warm-up", "0.5", "--seconds", "2", "--no-knee", "--no-costs")
    process = subprocess.Popen(
        command(clip, *options),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert "3 cameras" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "stopped" in errors
    assert "Traceback" not in errors
    assert "| 3 | 15 |" in out
    assert "| 4 | 15 |" not in out
