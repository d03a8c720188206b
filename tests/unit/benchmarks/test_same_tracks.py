"""`benchmarks.faults.same_tracks`: which differences between two runs are reported."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.faults.same_tracks import compare

FRAME = {
    "seq": 0,
    "published_at_ns": 5,
    "inference_ns": 7,
    "frame_published_at_ns": 3,
    "tracks": [{"id": 1, "score": 0.5}],
}


def folder_with(path: Path, *frames: object, mot: str = "1,1,0.00\n") -> Path:
    path.mkdir()
    (path / "clip.tracks.jsonl").write_text("".join(json.dumps(frame) + "\n" for frame in frames))
    (path / "clip.mot.txt").write_text(mot)
    return path


def test_wall_clock_times_of_the_run_are_ignored(tmp_path: Path) -> None:
    later = {**FRAME, "published_at_ns": 50, "inference_ns": 70, "frame_published_at_ns": 30}
    assert compare(folder_with(tmp_path / "a", FRAME), folder_with(tmp_path / "b", later)) == []


def test_changed_score_is_reported_with_its_line(tmp_path: Path) -> None:
    other = {**FRAME, "tracks": [{"id": 1, "score": 0.5001}]}
    found = compare(folder_with(tmp_path / "a", FRAME, FRAME), folder_with(tmp_path / "b", FRAME, other))
    assert found == ["clip.tracks.jsonl: line 2 differs"]


def test_missing_frame_and_missing_file_are_reported(tmp_path: Path) -> None:
    before, after = folder_with(tmp_path / "a", FRAME, FRAME), folder_with(tmp_path / "b", FRAME)
    (after / "clip.mot.txt").unlink()
    assert compare(before, after) == [
        "clip.mot.txt: is in one of the folders only",
        "clip.tracks.jsonl: line 2 is in one of them only",
    ]


def test_folders_without_result_files_are_reported(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert compare(tmp_path / "a", tmp_path / "b") == ["neither folder holds result files of posebus run"]
