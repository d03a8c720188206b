"""Preparing a frame for the engine, in the calling thread: inputs, damaged pictures, errors, enhancement."""

from __future__ import annotations

import time

import numpy as np
import pytest
import simplejpeg

from posebus.bus.frame_consumer import PoseResult
from posebus.config.settings import WorkerSettings
from posebus.telemetry.metrics import Metrics
from posebus.telemetry.process_report import Enhancement
from posebus.views import View
from tests.unit.workers.manual_engine import ManualEngine, job
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.inference.enhancements import EnhancementLog
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Failed
from workers.inference.hang import HangWatch
from workers.inference.preparation import FramePreparer, PreparedFrame


class Parts:
    """A preparer and all that it reports to."""

    def __init__(self, enhance: str = "off") -> None:
        self.engine = ManualEngine()
        self.metrics, self.watch, self.enhancements = Metrics(), HangWatch(hang_s=60), EnhancementLog()
        estimator = PoseEstimator(self.engine, WorkerSettings.model_validate({"imgsz": 64, "enhance": enhance}))
        self.preparer = FramePreparer(estimator, self.metrics, self.watch, self.enhancements)

    @property
    def decoding(self) -> bool:
        return self.watch.hung(time.monotonic() + 1000) is not None


def test_frame_becomes_one_input_for_each_tile_of_all_its_views() -> None:
    parts = Parts()
    prepared = parts.preparer.prepare(job(3, views=(View(64, 2, 2), View(32))))
    assert isinstance(prepared, PreparedFrame)
    assert prepared.job.frame.seq == 3
    assert [plan.view for plan in prepared.plans] == [View(64, 2, 2), View(32)]
    assert [rows.shape for rows in prepared.inputs] == [(64, 64, 3)] * 4 + [(32, 32, 3)]
    assert not parts.decoding
    assert parts.enhancements.newest() == {}


def test_damaged_picture_becomes_a_dead_letter() -> None:
    parts = Parts()
    result = parts.preparer.prepare(job(0, data=b"no picture"))
    assert isinstance(result, PoseResult)
    assert "does not decode" in (result.dead_reason or "")
    assert not parts.decoding


def test_error_of_the_engine_is_returned_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts()

    def prepare(picture: Picture, fit: Letterbox) -> object:
        assert parts.decoding
        raise MemoryError("no pinned memory")

    monkeypatch.setattr(parts.engine, "prepare", prepare)
    failed = parts.preparer.prepare(job(7))
    assert isinstance(failed, Failed)
    assert (failed.job.frame.seq, failed.alone, str(failed.error)) == (7, True, "no pinned memory")
    assert not parts.decoding


def test_dark_picture_is_enhanced_and_recorded() -> None:
    rng = np.random.default_rng(0)
    dark = rng.integers(0, 12, (64, 64, 3), np.uint8)
    parts = Parts(enhance="auto")
    one = job(0, data=simplejpeg.encode_jpeg(dark, 95, "RGB", "444"))
    assert isinstance(parts.preparer.prepare(one), PreparedFrame)
    assert parts.metrics.snapshot()["posebus_frames_enhanced_total"] == [[1]]
    assert parts.enhancements.newest() == {
        "door": Enhancement(captured_at_ns=one.frame.captured_at_ns, text=str(one.picture.degradation))
    }
