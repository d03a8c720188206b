"""Batches for the engine and their outcomes, driven by the test's own thread: no decoding and no pipeline."""

from __future__ import annotations

import math
import queue
import threading
import time

import pytest

from posebus.bus.frame_consumer import PoseResult
from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from posebus.messages import Delivery, Skipped
from posebus.telemetry.metrics import Metrics
from posebus.views import View
from tests.polling import wait_until
from tests.unit.workers.manual_engine import ManualEngine, job
from workers.images.preprocess import Letterbox
from workers.inference.dispatch import Dispatcher, ResultQueue, Submission
from workers.inference.enhancements import EnhancementLog
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Failed, FrameOutcome, Inferred
from workers.inference.hang import HangWatch
from workers.inference.preparation import FramePreparer, PreparedFrame
from workers.inference.room import Room
from workers.job import Job

TILED = (View(64, 2, 2),)


class Parts:
    """A dispatcher over a manual engine, with the room and the queue that it works on."""

    def __init__(self, engine: ManualEngine) -> None:
        self.metrics, self.watch = Metrics(), HangWatch(hang_s=60)
        self.results: ResultQueue = queue.SimpleQueue()
        self.room = Room(16, self.results.qsize)
        estimator = PoseEstimator(engine, WorkerSettings(imgsz=64))
        self.dispatcher = Dispatcher(estimator, self.metrics, self.watch, self.room, self.results)
        self._preparer = FramePreparer(estimator, self.metrics, self.watch, EnhancementLog())

    def add(self, one: Job) -> None:
        prepared = self._preparer.prepare(one)
        assert isinstance(prepared, PreparedFrame)
        self.room.enter(len(prepared.inputs))
        self.dispatcher.add(prepared)

    def outcomes(self) -> list[FrameOutcome]:
        """Complete what the engine has finished, as the collecting thread does."""
        found: list[FrameOutcome] = []
        while not self.results.empty():
            item = self.results.get_nowait()
            assert not isinstance(item, Exception)
            found += self.dispatcher.complete(item) if isinstance(item, Submission) else [item]
        self.dispatcher.advance()
        return found


def test_idle_engine_gets_a_frame_at_once() -> None:
    engine = ManualEngine(batch=4, in_flight=1)
    parts = Parts(engine)
    parts.add(job(0))
    assert [frames for frames, _ in engine.submitted] == [1]
    assert (parts.dispatcher.waiting, parts.dispatcher.due_s()) == (0, math.inf)


def test_busy_engine_gets_a_batch_when_it_has_room() -> None:
    engine = ManualEngine(batch=4, in_flight=1)
    parts = Parts(engine)
    for seq in range(5):
        parts.add(job(seq))
    assert [frames for frames, _ in engine.submitted] == [1]
    assert parts.dispatcher.waiting == 4
    assert parts.dispatcher.due_s() < math.inf
    engine.answer()
    (first,) = parts.outcomes()
    assert isinstance(first, Inferred)
    assert [frames for frames, _ in engine.submitted] == [4]
    engine.answer()
    seqs = [outcome.job.frame.seq for outcome in parts.outcomes() if isinstance(outcome, Inferred)]
    assert seqs == [1, 2, 3, 4]
    assert parts.room.inside == 0


@pytest.mark.parametrize(
    ("delivery", "views", "expected"),
    [(Delivery.LIVE, (), True), (Delivery.LOSSLESS, (), False), (Delivery.LIVE, TILED, False)],
)
def test_only_a_live_frame_of_one_input_on_an_idle_engine_is_submitted_for_low_latency(
    delivery: Delivery, views: tuple[View, ...], expected: bool
) -> None:
    engine = ManualEngine()
    parts = Parts(engine)
    parts.add(job(0, delivery=delivery, views=views))
    parts.add(job(1, delivery=Delivery.LIVE))
    assert engine.low_latency == [expected, False]


@pytest.mark.parametrize(("frames", "alone"), [(1, True), (2, False)])
def test_failed_batch_counts_against_its_frame_only_if_it_held_no_other_frame(frames: int, alone: bool) -> None:
    engine = ManualEngine(batch=8, in_flight=1)
    parts = Parts(engine)
    parts.add(job(100))
    for seq in range(frames):
        parts.add(job(seq, views=TILED))
    engine.answer()
    parts.outcomes()
    assert [size for size, _ in engine.submitted] == [4 * frames]
    engine.submitted.pop()[1].set_exception(RuntimeError("on fire"))
    failed = parts.outcomes()
    assert [one.alone for one in failed if isinstance(one, Failed)] == [alone] * frames
    assert parts.room.inside == 0


def test_expired_frame_leaves_without_inference() -> None:
    engine = ManualEngine(in_flight=1)
    parts = Parts(engine)
    parts.add(job(0))
    parts.add(job(1, delivery=Delivery.LIVE, age_ms=490.0))
    time.sleep(0.02)  # until 10 ms after, `max_age_ms` is 500
    parts.dispatcher.advance()
    (skipped,) = parts.outcomes()
    assert isinstance(skipped, PoseResult)
    assert isinstance(skipped.body, Skipped)
    assert skipped.body.reason == "too old"
    assert (len(engine.submitted), parts.room.inside) == (1, 1)


def test_remaining_forward_passes_a_decided_frame_are_not_submitted() -> None:
    engine = ManualEngine(in_flight=1)
    parts = Parts(engine)
    parts.add(job(0, views=TILED))
    engine.submitted.pop()[1].set_exception(RuntimeError("on fire"))
    (failed,) = parts.outcomes()
    assert isinstance(failed, Failed)
    assert (engine.submitted, parts.room.inside, parts.dispatcher.waiting) == ([], 0, 0)


def test_busy_time_of_the_engine_is_counted_until_its_last_result() -> None:
    engine = ManualEngine(in_flight=2)
    parts = Parts(engine)
    parts.add(job(0))
    time.sleep(0.05)
    engine.answer()
    parts.outcomes()
    ((busy_s,),) = parts.metrics.snapshot()["posebus_engine_busy_seconds_total"]
    assert busy_s >= 0.05
    time.sleep(0.05)
    parts.dispatcher.advance()
    assert parts.metrics.snapshot()["posebus_engine_busy_seconds_total"] == [[busy_s]]


def test_engine_that_cannot_continue_raises_where_the_frame_is_added() -> None:
    engine = ManualEngine()
    engine.broken = True
    with pytest.raises(EngineError, match="no memory"):
        Parts(engine).add(job(0))


def test_shape_is_set_up_once_and_the_hang_watch_covers_it() -> None:
    engine = ManualEngine()
    parts = Parts(engine)
    fit = Letterbox.fit((64, 64), 64, 32)
    thread = threading.Thread(target=parts.dispatcher.set_up, args=(fit,))
    thread.start()
    wait_until(lambda: len(engine.submitted) == 1, "the blank picture")
    hang = parts.watch.hung(time.monotonic() + 1000)
    assert hang is not None
    assert (hang.jobs, hang.where) == ((), "engine")
    engine.answer()
    thread.join(60)
    assert parts.watch.knows((64, 64))
    assert parts.watch.hung(time.monotonic() + 1000) is None
    parts.dispatcher.set_up(fit)
    assert engine.submitted == []
