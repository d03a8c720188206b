"""Which entries are inferred, and how the others are answered."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from posebus.bus.frame_consumer import FrameEntry, PoseResult
from posebus.bus.reclaim import Attempt
from posebus.config.settings import WorkerSettings
from posebus.messages import Delivery, Skipped
from posebus.runtime.shared_frames import SharedFrames
from posebus.views import View
from tests.samples import end
from tests.unit.workers.recording_consumer import entry
from workers.intake.entry_filter import MAX_INPUTS, EntryFilter, keep_newest_live
from workers.job import Job

SETTINGS = WorkerSettings(max_age_ms=500.0)


def decide(one: FrameEntry, age_ms: float = 0.0, shared: SharedFrames | None = None) -> Job | PoseResult:
    return EntryFilter(SETTINGS, shared).job_or_result(one, age_ms, now_s=100.0)


def test_live_frame_is_inferred_until_it_is_too_old() -> None:
    fresh = decide(entry(0, delivery=Delivery.LIVE), age_ms=400.0)
    assert isinstance(fresh, Job)
    assert fresh.expires_at_s == pytest.approx(100.1)
    old = decide(entry(0, delivery=Delivery.LIVE), age_ms=501.0)
    assert isinstance(old, PoseResult)
    assert isinstance(old.body, Skipped)
    assert old.body.reason == "too old"


def test_lossless_frame_never_expires() -> None:
    job = decide(entry(0, delivery=Delivery.LOSSLESS), age_ms=1e9)
    assert isinstance(job, Job)
    assert job.expires_at_s == math.inf


def test_end_of_stream_is_answered_with_itself() -> None:
    result = decide(FrameEntry("door", b"5-0", end(5), {}))
    assert isinstance(result, PoseResult)
    assert (result.body, result.dead_reason) == (end(5), None)


def test_malformed_and_exhausted_entries_go_to_the_dead_letters() -> None:
    malformed = decide(FrameEntry("door", b"0-0", None, {}, defect="no field camera"))
    exhausted = decide(entry(0, attempts=(Attempt("w1", 0, "it hung"),) * SETTINGS.max_deliveries))
    assert isinstance(malformed, PoseResult)
    assert isinstance(exhausted, PoseResult)
    assert malformed.dead_reason == "malformed: no field camera"
    assert exhausted.dead_reason == "given up after 3 attempts in 1 worker; the last: it hung"


def test_frame_with_too_many_tiles_goes_to_the_dead_letters() -> None:
    assert isinstance(decide(entry(0, views=(View(640, 8, 8),))), Job)
    dead = decide(entry(0, views=(View(640, 8, 8), View(320))))
    assert isinstance(dead, PoseResult)
    assert (
        dead.dead_reason == f"its views take 65 forward passes, and a frame may take {MAX_INPUTS}: ask for fewer tiles"
    )


def test_picture_in_shared_memory_is_found_where_the_worker_has_shared_frames(tmp_path: Path) -> None:
    shared = SharedFrames(tmp_path)
    rows = np.arange(3 * 8 * 4, dtype=np.uint8)
    shared.put("door-1-0", rows.data.cast("B"))
    one = entry(0, data=b"door-1-0", encoding="shared", image_size_px=(8, 4))
    job = decide(one, shared=shared)
    assert isinstance(job, Job)
    np.testing.assert_array_equal(job.picture.rgb(), rows.reshape(4, 8, 3)[..., ::-1])
    elsewhere = decide(one)
    assert isinstance(elsewhere, PoseResult)
    assert "shared_frames" in (elsewhere.dead_reason or "")


def test_only_the_newest_live_frames_are_kept_and_all_other_entries() -> None:
    entries = [
        entry(0, delivery=Delivery.LIVE),
        entry(1, delivery=Delivery.LOSSLESS),
        entry(2, delivery=Delivery.LIVE),
        FrameEntry("door", b"3-0", None, {}),
        entry(4, delivery=Delivery.LIVE),
        FrameEntry("door", b"5-0", end(5), {}),
    ]
    kept, overtaken = keep_newest_live(entries, keep=1)
    assert [one.entry_id for one in kept] == [b"1-0", b"3-0", b"4-0", b"5-0"]
    assert [result.entry.entry_id for result in overtaken] == [b"0-0", b"2-0"]
    assert {result.body.reason for result in overtaken if isinstance(result.body, Skipped)} == {"overtaken"}
