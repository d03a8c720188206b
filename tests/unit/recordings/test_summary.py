"""summary.json, whose fields others read."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import samples

from recordings.analysis import Outcome
from recordings.fleet_watch import Workers
from recordings.inputs import Recording
from recordings.results.summary import add_to_summary, merged, summarise, write_summary
from recordings.results.tally import Tally

WORKERS = Workers("openvino", "bf16", 640)
SECOND = 1_000_000_000


def outcome(name: str, frames: int = 10, dropped: int = 0, **changes: Any) -> Outcome:
    tally = Tally()
    for seq in range(frames):
        times = replace(samples.PROVENANCE, frame_published_at_ns=SECOND, published_at_ns=SECOND + (seq + 1) * SECOND)
        tally.add(samples.track_frame(seq), times)
    recording = Recording(f"{name}.mp4", name, name, (640, 480), frames)
    return Outcome(recording, tally, frames + dropped, **changes)


def test_it_has_the_fields_that_others_read() -> None:
    summary = summarise([outcome("a", dropped=2), outcome("b", 20)], WORKERS, 33.0, {})
    assert [{key: entry[key] for key in ("name", "frames", "tracks", "fps")} for entry in summary["inputs"]] == [
        {"name": "a", "frames": 10, "tracks": 2, "fps": 1.0},
        {"name": "b", "frames": 20, "tracks": 2, "fps": 1.0},
    ]
    assert (summary["frames"], summary["fps"], summary["wall_s"], summary["dropped"]) == (30, 1.5, 33.0, 2)
    assert (summary["engine"], summary["precision"], summary["imgsz"]) == ("openvino", "bf16", 640)
    assert set(summary["latency_ms"]) == {"p50", "p95", "p99"}
    assert summary["latency_ms"]["p99"] > summary["latency_ms"]["p50"] > 1000


def test_failures_and_warnings_stand_in_it_and_do_not_count() -> None:
    outcomes = [outcome("a", warning="a.mp4 is cut off"), outcome("b", error="b.mp4 crashes")]
    summary = summarise(outcomes, WORKERS, 1.0, {"c": "there is no file c.mp4"})
    assert summary["warnings"] == [{"name": "a", "warning": "a.mp4 is cut off"}]
    assert summary["failed"] == [
        {"name": "c", "error": "there is no file c.mp4"},
        {"name": "b", "error": "b.mp4 crashes"},
    ]
    assert [entry["name"] for entry in summary["inputs"]] == ["a"]
    assert summary["frames"] == 10


def test_a_run_in_which_everything_failed_is_still_a_summary() -> None:
    summary = summarise([], Workers(), 0.1, {"a": "no"})
    assert (summary["frames"], summary["fps"], summary["engine"]) == (0, 0, None)
    assert summary["latency_ms"] == {"p50": None, "p95": None, "p99": None}


def test_merging_replaces_forward_passes_the_same_name_and_adds_up_the_rest() -> None:
    older = summarise([outcome("a", 10), outcome("b", 5, dropped=1)], WORKERS, 10.0, {"d": "gone"})
    newer = summarise([outcome("b", 20)], Workers("torch", "fp32", 640), 5.0, {})
    both = merged(older, newer)
    assert [(entry["name"], entry["frames"]) for entry in both["inputs"]] == [("a", 10), ("b", 20)]
    assert (both["frames"], both["dropped"], both["wall_s"], both["fps"]) == (30, 0, 15.0, 1.0)
    assert (both["engine"], both["imgsz"]) == ("openvino, torch", 640)
    assert both["latency_ms"] == newer["latency_ms"]
    assert both["failed"] == [{"name": "d", "error": "gone"}]


def test_jobs_of_one_batch_share_a_summary_and_others_replace_it(tmp_path: Path) -> None:
    def job(number: int) -> None:
        add_to_summary(tmp_path, summarise([outcome(f"clip-{number}", 3)], WORKERS, 1.0, {}), "batch")

    write_summary(tmp_path, summarise([outcome("of an older run")], WORKERS, 1.0, {}))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(job, range(8)))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [entry["name"] for entry in summary["inputs"]] == [f"clip-{number}" for number in range(8)]
    assert summary["frames"] == 24
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"batch": "other"}'])
def test_a_summary_that_cannot_be_merged_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "summary.json").write_text(content)
    add_to_summary(tmp_path, summarise([outcome("a")], WORKERS, 1.0, {}), "batch")
    assert json.loads((tmp_path / "summary.json").read_text())["frames"] == 10
