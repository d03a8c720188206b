"""Frames on their way through one worker: decoded by threads, batched, computed by the engine, handed back.

Everything overlaps: while the engine computes, the next frames are decoded and wait inside it, and the results of the
last ones are published. Who adds frames asks first what is `free` of `capacity`, so that what is inside is bounded. A
frame of several views or tiles enters the engine several times, and takes as much room; it comes out once
(`workers.inference.frame_job`).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from posebus.bus.frame_consumer import CAMERAS_KNOWN, PoseResult
from posebus.errors import BadPicture
from posebus.messages import Delivery
from posebus.telemetry.metrics import Metrics
from workers.detections import Detections
from workers.images.tiling import inputs_of
from workers.inference.batching import BatchFormer, Waiting
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Failed, Outcome, Seeing, Seen
from workers.inference.hang import HangWatch
from workers.job import Job, dead_letter

ANSWERS_WAITING = 256
"""Frames answered without the engine take none of its room, but hold their pictures until they are committed."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    seeing: Seeing
    number: int  # of the frame's inputs
    input: Any  # what the engine made of the picture
    input_px: tuple[int, int]
    ready_at_s: float


@dataclass(frozen=True, slots=True)
class _Submission:
    """What the engine is through with."""

    batch: Sequence[_Prepared]
    future: Future[list[Detections]]
    submitted_at_s: float
    finished_at_s: float


class Pipeline:
    """`add` by one thread, `collect` by one (another) thread; the rest happens in between."""

    def __init__(self, estimator: PoseEstimator, metrics: Metrics, decode_threads: int, watch: HangWatch) -> None:
        engine = estimator.engine
        self._watch = watch
        self.enhanced: dict[str, tuple[int, str]] = {}
        """By camera: the last frame that was enhanced (ns), and why."""
        self._estimator = estimator
        self._metrics = metrics
        self._decoders = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")
        self._former: BatchFormer[_Prepared] = BatchFormer(engine.batch)
        # Where frames are batched, one more batch forms while the others are with the engine.
        self.capacity = engine.in_flight * engine.batch + (engine.batch if engine.batch > 1 else 0)
        self._submitting = threading.Lock()  # guards `_former`, `_running`, `_busy_since_s` and the engine's `submit`
        self._running = 0
        self._busy_since_s = 0.0
        self._room = threading.Condition()  # guards `_inside`
        self._inside = 0
        self._done: queue.SimpleQueue[_Submission | Outcome | Exception] = queue.SimpleQueue()

    @property
    def free(self) -> int:
        """Frames that may be added now: none while as many answers wait to be collected as nobody should keep."""
        return max(0, self.capacity - self._inside) if self._done.qsize() < ANSWERS_WAITING else 0

    @property
    def empty(self) -> bool:
        """Whether nothing is on its way: neither frames nor answers that were not collected."""
        return self._inside == 0 and self._done.empty()

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until half of the capacity is free; False if it was not within `timeout_s`.

        Not for a single place: while others are taken the engine does not wait, and every read has its price.
        """
        with self._room:
            return self._room.wait_for(lambda: self.free >= max(1, self.capacity // 2), timeout_s)

    def add(self, job: Job) -> None:
        """A frame for the engine."""
        with self._room:
            self._inside += inputs_of(job.frame.views)
        self._decoders.submit(self._prepare, job)

    def add_alone(self, job: Job, begin: Callable[[], Job]) -> None:
        """A frame that may bring this process down, while nothing else is inside; `begin` is called at the last moment.

        The engine is set up for the frame's sizes before, with pictures of nothing: that takes a while, and whatever
        happens meanwhile is not to be blamed on the frame, unless this very size is what the engine chokes on.
        """
        for look in self._estimator.looks(job.picture.size_px, job.frame.views):
            fit = look.parts[0].fit
            input_px = fit.input_px
            if self._watch.knows(input_px):
                continue
            number = self._watch.inferring((), input_px, time.monotonic())
            try:
                blank = self._estimator.blank(fit)
                with self._submitting:
                    future = self._estimator.submit([blank])
                future.result()
            except Exception as error:  # noqa: BLE001
                self._done.put(Failed(begin(), error, alone=True))
                return
            finally:
                self._watch.inferred(number, time.monotonic())
            self._watch.know(input_px)
        self.add(begin())

    def answer(self, result: PoseResult) -> None:
        """A result that needs no engine, to be collected with the others."""
        self._done.put(result)

    def collect(self, timeout_s: float) -> list[Outcome]:
        """What is ready; waits up to `timeout_s` for the first. Raises EngineError where the engine cannot go on."""
        with self._submitting:
            due_s = self._former.due_s() - time.monotonic()
        outcomes: list[Outcome] = []
        try:
            item = self._done.get(timeout=max(0.0, min(timeout_s, due_s)))
            while True:
                outcomes += self._outcomes(item)
                item = self._done.get_nowait()
        except queue.Empty:
            pass
        with self._submitting:
            now_s = time.monotonic()
            if self._running:
                self._note_busy(now_s)
            self._dispatch(now_s)
        return outcomes

    def close(self) -> None:
        """Begin nothing new; what the engine has is not waited for."""
        self._decoders.shutdown(wait=True, cancel_futures=True)

    def _prepare(self, job: Job) -> None:
        """In a decoder's thread: whatever is raised must reach the collecting thread, or the frame would be stuck."""
        began_s = time.monotonic()
        number = self._watch.decoding(job, began_s)
        try:
            looks = self._estimator.looks(job.picture.size_px, job.frame.views)
            prepared = self._estimator.prepare(job.picture, looks)
        except BadPicture as error:
            self._give_up(dead_letter(job.entry, str(error)), inputs_of(job.frame.views))
            return
        except Exception as error:  # noqa: BLE001
            self._give_up(Failed(job, error, alone=True), inputs_of(job.frame.views))
            return
        finally:
            self._watch.decoded(number)
        now_s = time.monotonic()
        self._metrics.observe("posebus_stage_seconds", now_s - began_s, stage="decode")
        if job.picture.need is not None:
            self._metrics.count("posebus_frames_enhanced_total")
            if len(self.enhanced) >= CAMERAS_KNOWN:
                self.enhanced.clear()
            self.enhanced[job.frame.camera] = (job.frame.captured_at_ns, str(job.picture.need))
        try:
            with self._submitting:
                seeing = Seeing(job, looks)
                fits = [part.fit for look in looks for part in look.parts]
                for number, (fit, one) in enumerate(zip(fits, prepared, strict=True)):
                    item = _Prepared(seeing, number, one, fit.input_px, now_s)
                    self._former.add(Waiting(item, fit.input_px, now_s, seeing.expires_at_s(number)))
                self._dispatch(now_s)
        except Exception as error:  # noqa: BLE001
            self._done.put(error)

    def _give_up(self, outcome: Outcome | None, inputs: int) -> None:
        """Inputs that leave without having been inferred: the outcome first, or `empty` would be true in between."""
        if outcome is not None:
            self._done.put(outcome)
        self._leave(inputs)

    def _dispatch(self, now_s: float) -> None:
        """Give the engine what it has room for. Only with the lock held, and never in a thread of the engine: that
        could wait for itself."""
        for late in self._former.pop_expired(now_s):
            self._give_up(late.seeing.too_old(late.number), 1)
        while self._running < self._estimator.engine.in_flight:
            popped = self._former.pop(now_s, idle=self._running == 0)
            if not popped:
                return
            batch = [one for one in popped if not one.seeing.over]
            if len(batch) < len(popped):
                self._leave(len(popped) - len(batch))
            if batch:
                self._submit(batch, now_s)

    def _submit(self, batch: Sequence[_Prepared], now_s: float) -> None:
        if self._running == 0:
            self._busy_since_s = now_s
        # Recordings are not in a hurry, and are promised the same bits however busy the engine is. Nor are frames of
        # several inputs: the first of them must not keep the others waiting.
        alone = self._running == 0 and all(one.seeing.inputs == 1 for one in batch)
        hurry = alone and all(one.seeing.job.frame.delivery is Delivery.LIVE for one in batch)
        jobs = [seeing.job for seeing in _frames(batch)]
        number = self._watch.inferring(jobs, batch[0].input_px, now_s)
        future = self._estimator.submit([prepared.input for prepared in batch], hurry=hurry)
        self._running += 1
        self._metrics.observe("posebus_batch_frames", len(batch))
        future.add_done_callback(partial(self._hand_back, batch, now_s, number))

    def _hand_back(
        self, batch: Sequence[_Prepared], submitted_at_s: float, number: int, future: Future[list[Detections]]
    ) -> None:
        """In the engine's thread, which must go on: no lock, no work."""
        self._watch.inferred(number, time.monotonic())
        self._done.put(_Submission(batch, future, submitted_at_s, time.monotonic()))

    def _outcomes(self, item: _Submission | Outcome | Exception) -> list[Outcome]:
        if isinstance(item, Exception):
            raise item
        if not isinstance(item, _Submission):
            return [item]
        with self._submitting:
            self._running -= 1
            self._note_busy(item.finished_at_s)
            outcomes = self._through(item)
        for prepared in item.batch:
            waited_s = item.submitted_at_s - prepared.ready_at_s
            self._metrics.observe("posebus_stage_seconds", waited_s, stage="queue")
        self._metrics.observe("posebus_stage_seconds", item.finished_at_s - item.submitted_at_s, stage="infer")
        self._leave(len(item.batch))
        return outcomes

    def _through(self, item: _Submission) -> list[Outcome]:
        """The outcomes of those frames that were waiting for nothing else; only with the lock held."""
        frames = _frames(item.batch)
        outcomes: list[Seen | Failed | None]
        try:
            found = item.future.result()
        except Exception as error:  # noqa: BLE001 - of whatever kind: it is about these frames
            outcomes = [seeing.failed(error, alone=len(frames) == 1) for seeing in frames]
        else:
            width_px, height_px = item.batch[0].input_px
            self._watch.know((width_px, height_px))
            self._metrics.count("posebus_inferences_total", len(found))
            self._metrics.count("posebus_input_pixels_total", len(found) * width_px * height_px)
            times_s = (item.submitted_at_s, item.finished_at_s)
            pairs = zip(item.batch, found, strict=True)
            outcomes = [one.seeing.found(one.number, people, *times_s) for one, people in pairs]
        return [outcome for outcome in outcomes if outcome is not None]

    def _note_busy(self, until_s: float) -> None:
        """The engine had work until then; only with the lock held."""
        self._metrics.count("posebus_engine_busy_seconds_total", max(0.0, until_s - self._busy_since_s))
        self._busy_since_s = max(self._busy_since_s, until_s)

    def _leave(self, inputs: int) -> None:
        with self._room:
            self._inside -= inputs
            self._room.notify_all()


def _frames(batch: Sequence[_Prepared]) -> list[Seeing]:
    """Each once, though several of its inputs may be in the batch."""
    return list(dict.fromkeys(one.seeing for one in batch))
