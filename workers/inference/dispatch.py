"""The second stage of the pipeline: inputs are batched and submitted to the engine, so that it never runs dry."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from posebus.messages import Delivery
from posebus.telemetry.metrics import Metrics
from workers.detections import Detections
from workers.images.preprocess import Letterbox
from workers.inference.batching import BatchFormer, Waiting
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import FrameJob, FrameOutcome
from workers.inference.hang import HangWatch
from workers.inference.preparation import PreparedFrame
from workers.inference.room import Room


@dataclass(frozen=True, slots=True)
class PreparedInput:
    """Input `number` of a frame. `data` is the engine's own object; `ready_at_s` is monotonic."""

    frame_job: FrameJob
    number: int
    data: Any
    input_px: tuple[int, int]
    ready_at_s: float


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch that the engine has finished; `future` holds its detections or its error. Times are monotonic seconds."""

    batch: Sequence[PreparedInput]
    future: Future[list[Detections]]
    submitted_at_s: float
    finished_at_s: float


ResultQueue = queue.SimpleQueue[Submission | FrameOutcome | Exception]
"""What the collecting thread takes: finished batches, outcomes of frames that were not inferred, and fatal errors."""


class Dispatcher:
    """Batches inputs for the engine. Any thread but the engine's own may call: that one could wait for itself.

    Finished batches are put into `results`; the thread that takes them there passes them to `complete`.
    """

    def __init__(
        self, estimator: PoseEstimator, metrics: Metrics, watch: HangWatch, room: Room, results: ResultQueue
    ) -> None:
        self._estimator = estimator
        self._metrics = metrics
        self._watch = watch
        self._room = room
        self._results = results
        self._former: BatchFormer[PreparedInput] = BatchFormer(estimator.engine.batch)
        # Guards everything below, `_former`, the state of all frame jobs and the engine's `submit`.
        self._lock = threading.Lock()
        self._in_flight = 0
        self._busy_since_s = 0.0

    @property
    def waiting(self) -> int:
        """Inputs that wait for their batch."""
        return len(self._former)

    def add(self, frame: PreparedFrame) -> None:
        """Queue the inputs of a frame and submit what the engine has room for. Raises EngineError."""
        now_s = frame.ready_at_s
        with self._lock:
            frame_job = FrameJob(frame.job, frame.plans)
            fits = [tile.fit for plan in frame.plans for tile in plan.tiles]
            for number, (fit, data) in enumerate(zip(fits, frame.inputs, strict=True)):
                item = PreparedInput(frame_job, number, data, fit.input_px, now_s)
                self._former.add(Waiting(item, fit.input_px, now_s, frame_job.expires_at_s(number)))
            self._dispatch(now_s)

    def due_s(self) -> float:
        """Return when `advance` has to be called next (monotonic); infinity if no input waits."""
        with self._lock:
            return self._former.due_s()

    def advance(self) -> None:
        """Submit the batches that are due and give up the inputs that have expired. Raises EngineError."""
        with self._lock:
            now_s = time.monotonic()
            if self._in_flight:
                self._count_busy_time(now_s)
            self._dispatch(now_s)

    def complete(self, submission: Submission) -> list[FrameOutcome]:
        """Return the outcomes of those frames for which nothing but this batch was missing."""
        with self._lock:
            self._in_flight -= 1
            self._count_busy_time(submission.finished_at_s)
            outcomes = self._outcomes(submission)
        for prepared in submission.batch:
            waited_s = submission.submitted_at_s - prepared.ready_at_s
            self._metrics.observe("posebus_stage_seconds", waited_s, stage="queue")
        inference_s = submission.finished_at_s - submission.submitted_at_s
        self._metrics.observe("posebus_stage_seconds", inference_s, stage="infer")
        self._room.leave(len(submission.batch))
        return outcomes

    def set_up(self, fit: Letterbox) -> None:
        """Let the engine compute a blank picture, unless it has already computed an input of this shape.

        An engine sets itself up with the first input of a shape. Raises what the engine raises.
        """
        if self._watch.knows(fit.input_px):
            return
        ticket = self._watch.inferring((), fit.input_px, time.monotonic())
        try:
            blank = self._estimator.blank(fit)
            with self._lock:
                future = self._estimator.submit([blank])
            future.result()
        finally:
            self._watch.inferred(ticket, time.monotonic())
        self._watch.know(fit.input_px)

    def _dispatch(self, now_s: float) -> None:
        for late in self._former.pop_expired(now_s):
            outcome = late.frame_job.expire_input(late.number)
            if outcome is not None:
                # Before the input leaves, or the pipeline would look empty in between.
                self._results.put(outcome)
            self._room.leave(1)
        while self._in_flight < self._estimator.engine.in_flight:
            popped = self._former.pop(now_s, idle=self._in_flight == 0)
            if not popped:
                return
            batch = [one for one in popped if not one.frame_job.decided]
            if len(batch) < len(popped):
                self._room.leave(len(popped) - len(batch))
            if batch:
                self._submit(batch, now_s)

    def _submit(self, batch: Sequence[PreparedInput], now_s: float) -> None:
        if self._in_flight == 0:
            self._busy_since_s = now_s
        # A recording gains nothing by low latency and is promised the same bits however busy the engine is. Of a frame
        # of several inputs, the first must not keep the others waiting.
        alone = self._in_flight == 0 and all(one.frame_job.input_count == 1 for one in batch)
        low_latency = alone and all(one.frame_job.job.frame.delivery is Delivery.LIVE for one in batch)
        jobs = [frame_job.job for frame_job in _frame_jobs(batch)]
        ticket = self._watch.inferring(jobs, batch[0].input_px, now_s)
        future = self._estimator.submit([prepared.data for prepared in batch], low_latency=low_latency)
        self._in_flight += 1
        self._metrics.observe("posebus_batch_frames", len(batch))
        future.add_done_callback(partial(self._on_done, batch, now_s, ticket))

    def _on_done(
        self, batch: Sequence[PreparedInput], submitted_at_s: float, ticket: int, future: Future[list[Detections]]
    ) -> None:
        """Hand a batch back. This runs in the engine's own thread, which must not be held up: no lock and no work."""
        self._watch.inferred(ticket, time.monotonic())
        self._results.put(Submission(batch, future, submitted_at_s, time.monotonic()))

    def _outcomes(self, submission: Submission) -> list[FrameOutcome]:
        frame_jobs = _frame_jobs(submission.batch)
        outcomes: list[FrameOutcome | None] = []
        try:
            found = submission.future.result()
        except Exception as error:  # noqa: BLE001 - an error of any kind concerns these frames
            alone = len(frame_jobs) == 1
            outcomes += [frame_job.fail_input(error, alone=alone) for frame_job in frame_jobs]
        else:
            self._count_inferences(submission.batch[0].input_px, len(found))
            for one, detections in zip(submission.batch, found, strict=True):
                outcome = one.frame_job.complete_input(
                    one.number, detections, submission.submitted_at_s, submission.finished_at_s
                )
                outcomes.append(outcome)
        return [outcome for outcome in outcomes if outcome is not None]

    def _count_inferences(self, input_px: tuple[int, int], inputs: int) -> None:
        width_px, height_px = input_px
        self._watch.know(input_px)
        self._metrics.count("posebus_inferences_total", inputs)
        self._metrics.count("posebus_input_pixels_total", inputs * width_px * height_px)

    def _count_busy_time(self, until_s: float) -> None:
        self._metrics.count("posebus_engine_busy_seconds_total", max(0.0, until_s - self._busy_since_s))
        self._busy_since_s = max(self._busy_since_s, until_s)


def _frame_jobs(batch: Sequence[PreparedInput]) -> list[FrameJob]:
    """Return each frame once, even if several of its inputs are in the batch."""
    return list(dict.fromkeys(one.frame_job for one in batch))
