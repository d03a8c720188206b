"""When results are committed, and what is counted of them."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posebus.bus.frame_consumer import PoseResult
from posebus.errors import BrokerUnavailable
from posebus.messages import CaptureClock, Delivery, Frame, Provenance
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.metrics import Metrics
from tests.samples import pose_frame
from tests.unit.workers.recording_consumer import RecordingConsumer, entry
from workers.intake.in_flight import InFlight
from workers.intake.outbox import COMMIT_TOGETHER, COMMIT_WAIT_S, FULL_AT, Outbox
from workers.job import dead_letter, skip


class Parts:
    """An outbox and all that it writes to."""

    def __init__(self, shared: SharedFrames | None = None) -> None:
        self.consumer: Any = RecordingConsumer()
        self.in_flight = InFlight()
        self.metrics = Metrics()
        self.outbox = Outbox(self.consumer, self.in_flight, shared, self.metrics)

    def add_poses(self, seq: int, delivery: Delivery = Delivery.LOSSLESS) -> None:
        one = entry(seq, delivery=delivery)
        self.in_flight.add(one)
        provenance = Provenance(CaptureClock.FILE, delivery, frame_published_at_ns=time.time_ns())
        self.outbox.add(PoseResult(one, pose_frame(seq), provenance))


def test_live_result_is_due_at_once() -> None:
    parts = Parts()
    assert not parts.outbox.is_due(0.0, more_follow=False)
    parts.add_poses(0, Delivery.LIVE)
    assert parts.outbox.is_due(0.0, more_follow=True)


def test_lossless_results_wait_for_others_while_more_follow() -> None:
    parts = Parts()
    before_s = time.monotonic()
    parts.add_poses(0)
    assert not parts.outbox.is_due(before_s, more_follow=True)
    assert parts.outbox.is_due(before_s, more_follow=False)
    assert before_s + COMMIT_WAIT_S <= parts.outbox.commit_at_s <= time.monotonic() + COMMIT_WAIT_S
    assert parts.outbox.is_due(parts.outbox.commit_at_s, more_follow=True)
    for seq in range(1, COMMIT_TOGETHER):
        assert not parts.outbox.is_due(before_s, more_follow=True)
        parts.add_poses(seq)
    assert parts.outbox.is_due(before_s, more_follow=True)


def test_commit_releases_the_entries_and_counts_the_frames() -> None:
    parts = Parts()
    parts.add_poses(0)
    parts.add_poses(1)
    parts.outbox.commit()
    parts.outbox.commit()
    assert [[result.entry.entry_id for result in results] for results in parts.consumer.committed] == [[b"0-0", b"1-0"]]
    assert (len(parts.in_flight), parts.outbox.inferred, parts.outbox.commit_at_s) == (0, 2, math.inf)
    assert parts.metrics.snapshot()["posebus_frames_total"] == [[2]]


def test_failed_commit_keeps_its_results_in_flight_for_the_next_one() -> None:
    parts = Parts()
    parts.add_poses(0)
    parts.consumer.failures = 1
    with pytest.raises(BrokerUnavailable):
        parts.outbox.commit()
    assert (len(parts.in_flight), parts.outbox.inferred) == (1, 0)
    parts.outbox.commit()
    assert (len(parts.in_flight), parts.outbox.inferred) == (0, 1)


def test_outbox_is_full_when_commits_fail_for_long() -> None:
    parts = Parts()
    for seq in range(FULL_AT):
        assert not parts.outbox.full
        parts.add_poses(seq)
    assert parts.outbox.full


def test_skipped_frames_and_dead_letters_are_counted() -> None:
    parts = Parts()
    for seq, reason in enumerate(("too old", "overtaken", "too old")):
        one = entry(seq)
        assert isinstance(one.body, Frame)
        parts.outbox.add(skip(one, one.body, reason))
    parts.outbox.add(dead_letter(entry(3), "given up"))
    assert (parts.outbox.dead, dict(parts.outbox.skipped)) == (1, {"too old": 2, "overtaken": 1})
    parts.outbox.commit()
    assert parts.outbox.inferred == 0


def test_shared_picture_is_discarded_after_the_commit_and_not_before(tmp_path: Path) -> None:
    shared = SharedFrames(tmp_path)
    shared.put("door-1-0", np.zeros(3 * 8 * 4, np.uint8).data.cast("B"))
    parts = Parts(shared)
    one = entry(0, data=b"door-1-0", encoding="shared", image_size_px=(8, 4))
    assert isinstance(one.body, Frame)
    parts.outbox.add(skip(one, one.body, "too old"))
    parts.consumer.failures = 1
    with pytest.raises(BrokerUnavailable):
        parts.outbox.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["door-1-0"]
    parts.outbox.commit()
    assert "door-1-0" not in [path.name for path in tmp_path.iterdir()]
