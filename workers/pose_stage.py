"""The worker's step: collect what the engine has inferred; commit poses and acknowledgements in one transaction.

Other threads read frames (`intake`), renew the claims on them (`in_flight`), decode and infer them (`pipeline`).
Damaged frames, and frames that fail again and again, are sent to the dead letters with their reason, and a mark tells
the tracker not to wait for them. If a frame hangs, the whole process exits and is restarted by its supervisor.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.registry import Registry
from posebus.config.settings import WorkerSettings
from posebus.logs.about import about
from posebus.machine.stack_traces import exit_with_stack_traces
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.metrics import Metrics
from posebus.telemetry.process_report import WORKER, ProcessReport, WorkerReport
from posebus.wording import counted
from workers.engines.base import Engine, default_decode_threads
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Failed, FrameOutcome, Inferred
from workers.inference.hang import HangGuard, HangWatch
from workers.inference.hang_exit import HangExit
from workers.inference.pipeline import InferencePipeline
from workers.inference.speed import pixels_per_s
from workers.intake.background import Background
from workers.intake.cameras import FIRST_REFRESH_S, CameraList
from workers.intake.entry_filter import EntryFilter
from workers.intake.failures import Failures
from workers.intake.in_flight import ClaimRenewal, InFlight
from workers.intake.intake import Intake
from workers.intake.outbox import Outbox
from workers.intake.pose_results import pose_result
from workers.intake.suspects import Suspects

IDLE_WAIT_S = 0.1
DRAIN_TIMEOUT_S = 5.0

log = logging.getLogger("posebus.worker")


class PoseStage:
    """One worker process."""

    role = WORKER

    def __init__(
        self,
        consumer: FrameConsumer,
        registry: Registry,
        estimator: PoseEstimator,
        settings: WorkerSettings,
        shared: SharedFrames | None = None,
        leave: Callable[[int], object] = exit_with_stack_traces,
        *,
        metrics: Metrics | None = None,
    ) -> None:
        """`shared` holds pictures that are passed in this machine's memory; `leave(exit code)` ends a process in which
        a thread hangs; `metrics` are those of the stage that this one will replace."""
        self._estimator = estimator
        self._settings = settings
        self.metrics = metrics or Metrics()
        self._in_flight = InFlight()
        self._cameras = CameraList(registry, consumer)
        self._outbox = Outbox(consumer, self._in_flight, shared, self.metrics)
        self._failures = Failures(consumer, self._in_flight, settings.max_deliveries)
        self._watch = HangWatch(settings.hang_s)
        self._hang_exit = HangExit(self._failures.record_hang, leave)
        self._guard = HangGuard(self._watch, self._hang_exit)
        threads = settings.decode_threads or default_decode_threads(estimator.engine.device)
        self._pipeline = InferencePipeline(estimator, self.metrics, threads, self._watch)
        self._suspects = Suspects(consumer, self._pipeline, self._in_flight)
        intake = Intake(
            consumer=consumer,
            cameras=self._cameras,
            pipeline=self._pipeline,
            in_flight=self._in_flight,
            suspects=self._suspects,
            entry_filter=EntryFilter(settings, shared),
            settings=settings,
            metrics=self.metrics,
        )
        self._reading = Background(intake.step, "read frames")
        renewal = ClaimRenewal(consumer, self._in_flight, settings.reclaim_after_s)
        self._renewing = Background(renewal.step, "renew claims")
        self._pixels_per_s: float | None = None

    def warm_up(self) -> None:
        """Set the engine up for the picture sizes that the settings name, before the first frame."""
        for size_px in self._settings.warm_up_px:
            for fit in self._estimator.warm_up(size_px):
                self._watch.know(fit.input_px)
        if self._settings.warm_up_px and not self._settings.fixed_batch:
            # Recordings, for which batches are fixed, wait for their workers, however fast those are.
            self._pixels_per_s = pixels_per_s(self._estimator, self._settings.warm_up_px[0])

    def replace(self, former: PoseStage) -> None:
        """Take the work over from `former`, which is drained and closed: the counts of the process go on.

        Raises RetryableError if its results could not be committed; then it may be called again.
        """
        former.drain()
        former.close()
        self._outbox.continue_counts(former._outbox)

    def step(self, now_s: float) -> bool:
        """Wait a moment for outcomes of the pipeline and commit them. Raises RetryableError."""
        self._cameras.refresh(now_s)
        self._guard.start()
        self._renewing.check()
        self._reading.check()
        if self._outbox.full:
            # The broker may answer reads and refuse commits, for instance when it is full.
            self._outbox.commit()
        for outcome in self._pipeline.collect(self._wait_s(now_s)):
            self._receive(outcome)
        self._failures.write()
        more_follow = not self._pipeline.empty
        if self._outbox.is_due(time.monotonic(), more_follow=more_follow) or self._hang_exit.requested:
            self._outbox.commit()
        if self._hang_exit.requested:
            self._hang_exit.committed()
        return True

    @property
    def engine(self) -> Engine:
        """The engine that this stage computes with."""
        return self._estimator.engine

    @property
    def has_computed(self) -> bool:
        """Whether the engine has ever computed anything: if not, a restart of this worker would not help."""
        return self._watch.has_computed

    @property
    def in_flight(self) -> int:
        """Entries that this worker has read and not yet committed."""
        return len(self._in_flight)

    @property
    def frames(self) -> int:
        """Frames that this worker has inferred and committed."""
        return self._outbox.inferred

    def report(self) -> ProcessReport:
        engine = self._estimator.engine
        worker = WorkerReport(
            engine=engine.name,
            precision=engine.precision,
            device=engine.device,
            imgsz=self._settings.imgsz,
            largest_imgsz=self._settings.largest_imgsz,
            frames=self.frames,
            dead=self._outbox.dead,
            skipped=dict(self._outbox.skipped),
            enhance=self._pipeline.enhancements.newest(),
            pixels_per_s=self._pixels_per_s,
        )
        return ProcessReport(WORKER, metrics=self.metrics.snapshot(), worker=worker)

    def drain(self) -> None:
        """Read nothing more, finish the frames in flight, commit them, and leave the consumer group."""
        self._reading.stop(DRAIN_TIMEOUT_S)
        progress_at_s = time.monotonic()
        while not self._pipeline.empty:
            outcomes = self._pipeline.collect(IDLE_WAIT_S)
            for outcome in outcomes:
                self._receive(outcome)
            now_s = time.monotonic()
            progress_at_s = now_s if outcomes else progress_at_s
            if now_s - progress_at_s > DRAIN_TIMEOUT_S:
                unfinished = counted(len(self._in_flight), "frame")
                log.warning("leaving with %s unfinished; another worker will reclaim them", unfinished)
                break
        self._failures.write()
        self._outbox.commit()
        self._suspects.withdraw()
        self._cameras.leave()

    def close(self) -> None:
        """Stop all threads and free the engine."""
        self._reading.stop(IDLE_WAIT_S)
        self._renewing.stop(0.0)
        self._pipeline.close()
        self._guard.stop()
        self._estimator.engine.close()

    def _wait_s(self, now_s: float) -> float:
        """Return how long to wait for outcomes: not past the time at which the results have to be committed."""
        idle_wait_s = IDLE_WAIT_S if self._cameras.deliveries else FIRST_REFRESH_S
        return min(idle_wait_s, self._outbox.commit_at_s - now_s)

    def _receive(self, outcome: FrameOutcome) -> None:
        if isinstance(outcome, Inferred):
            self._outbox.add(pose_result(outcome, self._settings, self.metrics))
        elif isinstance(outcome, Failed):
            frame = outcome.job.frame
            where = about(frame.camera, frame.epoch, frame.seq)
            log.warning("camera %s: inference failed: %s", frame.camera, outcome.error, extra=where)
            result = self._failures.record(outcome)
            if result is not None:
                self._outbox.add(result)
        else:
            self._outbox.add(outcome)
