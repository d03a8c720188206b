"""`benchmarks.faults.same_tracks`: what counts as a difference between two runs."""

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


def test_times_of_the_run_are_no_difference(tmp_path: Path) -> None:
    later = {**FRAME, "published_at_ns": 50, "inference_ns": 70, "frame_published_at_ns": 30}
    assert compare(folder_with(tmp_path / "a", FRAME), folder_with(tmp_path / "b", later)) == []


def test_a_changed_score_is_named_with_its_line(tmp_path: Path) -> None:
    other = {**FRAME, "tracks": [{"id": 1, "score": 0.5001}]}
    found = compare(folder_with(tmp_path / "a", FRAME, FRAME), folder_with(tmp_path / "b", FRAME, other))
    assert found == ["clip.tracks.jsonl: line 2 differs"]


def test_a_missing_frame_and_a_missing_file_are_differences(tmp_path: Path) -> None:
    before, after = folder_with(tmp_path / "a", FRAME, FRAME), folder_with(tmp_path / "b", FRAME)
    (after / "clip.mot.txt").unlink()
    assert compare(before, after) == [
        "clip.mot.txt: is in one of the folders only",
        "clip.tracks.jsonl: line 2 is in one of them only",
    ]


def test_empty_folders_prove_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert compare(tmp_path / "a", tmp_path / "b") == ["neither folder holds result files of posebus run"]
