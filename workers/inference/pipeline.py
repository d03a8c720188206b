"""Frames on their way through one worker: decoding threads prepare them, the engine infers them in batches.

Everything overlaps: while the engine computes, the next frames are decoded and wait for it, and the results of the last
ones are published. Callers ask what is `free` before they add frames, so that the number inside is bounded. A frame of
several views or tiles enters the engine several times and takes as much room; it has one outcome
(`workers.inference.frame_job`).
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from posebus.bus.frame_consumer import PoseResult
from posebus.telemetry.metrics import Metrics
from workers.images.tiling import forward_passes
from workers.inference.dispatch import Dispatcher, ResultQueue, Submission
from workers.inference.enhancements import EnhancementLog
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Failed, FrameOutcome
from workers.inference.hang import HangWatch
from workers.inference.preparation import FramePreparer, PreparedFrame
from workers.inference.room import Room
from workers.job import Job


class InferencePipeline:
    """`add` is called by one thread and `collect` by another one."""

    def __init__(self, estimator: PoseEstimator, metrics: Metrics, decode_threads: int, watch: HangWatch) -> None:
        engine = estimator.engine
        self.enhancements = EnhancementLog()
        self._estimator = estimator
        self._results: ResultQueue = queue.SimpleQueue()
        # Where frames are batched, one more batch forms while the others are with the engine.
        capacity = engine.in_flight * engine.batch + (engine.batch if engine.batch > 1 else 0)
        self._room = Room(capacity, self._results.qsize)
        self._preparer = FramePreparer(estimator, metrics, watch, self.enhancements)
        self._dispatcher = Dispatcher(estimator, metrics, watch, self._room, self._results)
        self._decoders = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")

    @property
    def capacity(self) -> int:
        """Inputs that are inside at once, but for one frame of many inputs that may exceed it."""
        return self._room.capacity

    @property
    def free(self) -> int:
        """Frames of one input that may be added now; see `Room.free`."""
        return self._room.free

    @property
    def empty(self) -> bool:
        """Whether no frame is inside and no outcome waits to be collected."""
        return self._room.inside == 0 and self._results.empty()

    def wait_for_room(self, timeout_s: float) -> bool:
        """See `Room.wait_until_half_free`."""
        return self._room.wait_until_half_free(timeout_s)

    def add(self, job: Job) -> None:
        """Decode and infer a frame."""
        self._room.enter(forward_passes(job.frame.views))
        self._decoders.submit(self._prepare, job)

    def add_alone(self, job: Job, begin: Callable[[], Job]) -> None:
        """Add a frame that may crash this process, while no other frame is inside; `begin` is called just before.

        Before that the engine is set up for the frame's shapes with blank pictures. This takes a while, and an error or
        crash meanwhile does not count against the frame, unless the engine fails with this very shape.
        """
        for plan in self._estimator.view_plans(job.picture.size_px, job.frame.views):
            try:
                self._dispatcher.set_up(plan.tiles[0].fit)
            except Exception as error:  # noqa: BLE001
                self._results.put(Failed(begin(), error, alone=True))
                return
        self.add(begin())

    def answer(self, result: PoseResult) -> None:
        """Add a result that needs no inference, to be collected with the others."""
        self._results.put(result)

    def collect(self, timeout_s: float) -> list[FrameOutcome]:
        """Return the outcomes that are ready, after waiting up to `timeout_s` for the first.

        Raises EngineError where the engine cannot continue.
        """
        due_in_s = self._dispatcher.due_s() - time.monotonic()
        outcomes: list[FrameOutcome] = []
        try:
            item = self._results.get(timeout=max(0.0, min(timeout_s, due_in_s)))
            while True:
                outcomes += self._outcomes(item)
                item = self._results.get_nowait()
        except queue.Empty:
            pass
        self._dispatcher.advance()
        return outcomes

    def close(self) -> None:
        """Start no more decoding; what the engine has is not waited for."""
        self._decoders.shutdown(wait=True, cancel_futures=True)

    def _outcomes(self, item: Submission | FrameOutcome | Exception) -> list[FrameOutcome]:
        if isinstance(item, Exception):
            raise item
        return self._dispatcher.complete(item) if isinstance(item, Submission) else [item]

    def _prepare(self, job: Job) -> None:
        """Prepare one frame in a decoding thread, where no error may be lost: the frame would never have an outcome."""
        prepared = self._preparer.prepare(job)
        if not isinstance(prepared, PreparedFrame):
            # Before the inputs leave, or the pipeline would look empty in between.
            self._results.put(prepared)
            self._room.leave(forward_passes(job.frame.views))
            return
        try:
            self._dispatcher.add(prepared)
        except Exception as error:  # noqa: BLE001
            self._results.put(error)
