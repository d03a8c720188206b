"""The fields of summary.json, and merging."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import samples

from recordings.fleet_watch import Workers
from recordings.inputs import Recording
from recordings.recording_analysis import RecordingResult
from recordings.results.tally import Tally
from recordings.summary import add_to_summary, merged, summarise, write_summary

WORKERS = Workers("openvino", "bf16", 640)
SECOND = 1_000_000_000


def result(name: str, frames: int = 10, dropped: int = 0, **changes: Any) -> RecordingResult:
    tally = Tally()
    for seq in range(frames):
        times = replace(samples.PROVENANCE, frame_published_at_ns=SECOND, published_at_ns=SECOND + (seq + 1) * SECOND)
        tally.add(replace(samples.track_frame(seq), captured_at_ns=seq * SECOND // 10), times)
    recording = Recording(source=f"{name}.mp4", name=name, camera=name, size_px=(640, 480), frames_expected=frames)
    return RecordingResult(recording, tally, frames + dropped, **changes)


def test_summary_has_the_documented_fields() -> None:
    summary = summarise([result("a", dropped=2), result("b", 20)], WORKERS, 33.0, {})
    assert [{key: entry[key] for key in ("name", "frames", "tracks", "fps")} for entry in summary["inputs"]] == [
        {"name": "a", "frames": 10, "tracks": 2, "fps": 1.0},
        {"name": "b", "frames": 20, "tracks": 2, "fps": 1.0},
    ]
    assert (summary["frames"], summary["fps"], summary["wall_s"], summary["dropped"]) == (30, 1.5, 33.0, 2)
    assert (summary["engine"], summary["precision"], summary["imgsz"]) == ("openvino", "bf16", 640)
    first, second = summary["inputs"]
    # Ten frames a second were recorded, one a second was analysed; both inputs were analysed at the same time.
    assert (first["speed"], second["speed"], summary["speed"]) == (0.1, 0.1, 0.15)
    assert "latency_ms" not in summary | first, "recordings wait in a queue on purpose"


def test_inputs_name_their_sources() -> None:
    (entry,) = summarise([result("a", dropped=2)], WORKERS, 33.0, {})["inputs"]
    assert entry["source"] == {
        "path": str(Path("a.mp4").absolute()),
        "size_bytes": None,
        "modified_at": None,
        "size_px": [640, 480],
        "frames": 12,
        "fps": 10.0,
        "duration_s": 1.0,
    }


def test_sources_that_exist_are_named_with_size_and_date(tmp_path: Path) -> None:
    one = result("a")
    source = tmp_path / "a.mp4"
    source.write_bytes(bytes(1234))
    os.utime(source, (1_796_060_312.5, 1_796_060_312.5))
    found = replace(one, recording=replace(one.recording, source=str(source)))
    (entry,) = summarise([found], WORKERS, 33.0, {})["inputs"]
    assert (entry["source"]["size_bytes"], entry["source"]["modified_at"]) == (1234, "2026-11-30T17:38:32Z")


def test_pictures_have_neither_rate_nor_speed() -> None:
    pictures = result("folder")
    pictures = replace(pictures, recording=replace(pictures.recording, timed=False))
    summary = summarise([pictures], WORKERS, 33.0, {})
    (entry,) = summary["inputs"]
    assert (entry["source"]["fps"], entry["source"]["duration_s"]) == (None, None)
    assert (entry["speed"], summary["speed"], entry["fps"]) == (None, None, 1.0)


def test_failed_recordings_are_listed_and_not_counted() -> None:
    results = [result("a", warning="a.mp4 is cut off"), result("b", error="b.mp4 crashes")]
    summary = summarise(results, WORKERS, 1.0, {"c": "there is no file c.mp4"})
    assert summary["warnings"] == [{"name": "a", "warning": "a.mp4 is cut off"}]
    assert summary["failed"] == [
        {"name": "c", "error": "there is no file c.mp4"},
        {"name": "b", "error": "b.mp4 crashes"},
    ]
    assert [entry["name"] for entry in summary["inputs"]] == ["a"]
    assert summary["frames"] == 10


def test_run_without_any_result_has_a_summary() -> None:
    summary = summarise([], Workers(), 0.1, {"a": "no"})
    assert (summary["frames"], summary["fps"], summary["engine"]) == (0, 0, None)
    assert summary["speed"] is None


def test_merging_replaces_inputs_of_the_same_name_and_adds_the_others() -> None:
    older = summarise([result("a", 10), result("b", 5, dropped=1)], WORKERS, 10.0, {"d": "gone"})
    newer = summarise([result("b", 20)], Workers("torch", "fp32", 640), 5.0, {})
    both = merged(older, newer)
    assert [(entry["name"], entry["frames"]) for entry in both["inputs"]] == [("a", 10), ("b", 20)]
    assert (both["frames"], both["dropped"], both["wall_s"], both["fps"]) == (30, 0, 15.0, 1.0)
    assert (both["engine"], both["imgsz"]) == ("openvino, torch", 640)
    assert both["speed"] == 0.1
    assert both["failed"] == [{"name": "d", "error": "gone"}]


def test_jobs_of_one_batch_share_a_summary_and_other_summaries_are_replaced(tmp_path: Path) -> None:
    def job(number: int) -> None:
        add_to_summary(tmp_path, summarise([result(f"clip-{number}", 3)], WORKERS, 1.0, {}), "batch")

    write_summary(tmp_path / "summary.json", summarise([result("of an older run")], WORKERS, 1.0, {}))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(job, range(8)))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [entry["name"] for entry in summary["inputs"]] == [f"clip-{number}" for number in range(8)]
    assert summary["frames"] == 24
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"batch": "other"}'])
def test_unreadable_or_foreign_summary_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "summary.json").write_text(content)
    add_to_summary(tmp_path, summarise([result("a")], WORKERS, 1.0, {}), "batch")
    assert json.loads((tmp_path / "summary.json").read_text())["frames"] == 10
