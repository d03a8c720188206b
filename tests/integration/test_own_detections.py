"""The example that tracks one's own detections: as a program, and its function on arrays with and without keypoints."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from posebus import CameraMotion, TrackState
from tests.conftest import ROOT

PROGRAM = ROOT / "examples" / "track_own_detections.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("track_own_detections", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_program_reads_and_writes_the_format_of_motchallenge(tmp_path: Path) -> None:
    """Three people who walk in parallel, and a frame without detections in between."""
    rows = [
        f"{frame},-1,{100 + 300 * person + 4 * frame},200,80,240,0.9,-1,-1,-1"
        for frame in range(1, 41)
        for person in range(3)
        if frame != 20
    ]
    (tmp_path / "det.txt").write_text("\n".join(rows))
    command = [sys.executable, PROGRAM, tmp_path / "det.txt", "--fps", "25", "--size", "1280x720"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lefts: dict[int, dict[int, float]] = defaultdict(dict)
    for line in done.stdout.splitlines():
        frame, number, left, *_ = line.split(",")
        lefts[int(number)][int(frame)] = float(left)
    assert sorted(lefts) == [1, 2, 3]
    for number, found in lefts.items():
        assert set(found) == set(range(1, 41)), "the missed frame is predicted"
        for frame, left in found.items():
            assert abs(left - (100 + 300 * (number - 1) + 4 * frame)) < 3


def numbers_by_person(tracks: list[tuple[int, float]]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = defaultdict(list)
    for number, left in tracks:
        found[number].append(left)
    return found


@pytest.mark.parametrize("with_keypoints", [True, False])
def test_people_who_cross_keep_their_numbers(example: ModuleType, with_keypoints: bool) -> None:
    detections = [(boxes, scores, points if with_keypoints else None) for boxes, scores, points in example.two_people()]
    frames = list(example.track(detections, fps=25.0, size_px=(1920, 1080)))
    tracks = [
        (track.id, float(track.box_xyxy_px[0]))
        for frame in frames
        for track in frame.tracks
        if track.state == TrackState.CONFIRMED
    ]
    found = numbers_by_person(tracks)
    assert len(found) == 2
    rightwards = [np.diff(lefts).mean() > 0 for lefts in found.values()]
    assert sorted(rightwards) == [False, True], "one goes on to the right, the other one to the left"
    assert all(np.ptp(lefts) > 600 for lefts in found.values())
    assert all((track.keypoints_px is not None) == with_keypoints for frame in frames for track in frame.tracks)


def test_a_person_who_stays_is_followed_where_the_camera_is_said_to_jump(example: ModuleType) -> None:
    """A jump of 400 pixels, which detections of one person alone cannot explain."""

    shifts = [-400.0 if number >= 10 else 0.0 for number in range(20)]
    boxes = [np.array([[700 + shift, 300, 790 + shift, 560]], np.float32) for shift in shifts]
    detections = [(box, np.array([0.9], np.float32), None) for box in boxes]
    motions = {number: CameraMotion(0, (1.0, 0.0, shift, 0.0, 1.0, 0.0), 1.0) for number, shift in enumerate(shifts)}
    known = list(example.track(detections, 25.0, (1920, 1080), motions))
    unknown = list(example.track(detections, 25.0, (1920, 1080)))
    assert {track.id for frame in known for track in frame.tracks} == {1}
    assert len({track.id for frame in unknown for track in frame.tracks}) > 1
