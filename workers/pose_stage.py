"""The worker's step: commit what was seen, poses and acknowledgement in one transaction.

Around it, threads take frames (`intake`), keep them (`claims`), decode and infer them (`pipeline`). What a frame can do
wrong ends here: damaged frames and frames that fail again and again are dead-lettered with their reason, and a mark
tells the tracker not to wait for them. With a frame that hangs the whole process ends, and is started again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from posebus.bus.frame_consumer import FrameConsumer, PoseResult
from posebus.bus.registry import Registry
from posebus.config.settings import WorkerSettings
from posebus.messages import Frame, PoseFrame, Skipped
from posebus.runtime.processes import EXIT_STUCK
from posebus.runtime.shared_frames import SharedFrames
from posebus.runtime.stack_traces import exit_with_stack_traces
from posebus.telemetry.metrics import Metrics, age_s
from posebus.telemetry.process_report import WORKER, Enhancement, ProcessReport, WorkerReport
from workers.engines.base import default_decode_threads
from workers.inference.estimator import PoseEstimator
from workers.inference.frame_job import Failed, Outcome, Seen
from workers.inference.hang import Hang, HangGuard, HangWatch
from workers.inference.pipeline import Pipeline
from workers.intake.answers import people_of, with_picture
from workers.intake.background import Background
from workers.intake.claims import ClaimRenewal
from workers.intake.failures import Failures
from workers.intake.in_flight import InFlight
from workers.intake.intake import Intake
from workers.intake.triage import Triage

CAMERAS_REFRESH_S = 0.5
CLOCK_REFRESH_S = 1.0
"""Clocks drift by less than a microsecond in this time; but the broker's may jump, and then this is how long we err."""
IDLE_WAIT_S = 0.1
COMMIT_TOGETHER = 16
COMMIT_WAIT_S = 0.25
"""Nobody waits for the poses of a recording: several in one transaction cost a third of what they cost one by one."""
OUTBOX_FULL = 64
DRAIN_TIMEOUT_S = 5.0
ENHANCED_TOLD = 30
LAST_COMMIT_S = 1.0
"""With a frame that hangs, so long is waited for what else is finished."""

log = logging.getLogger("posebus.worker")


class PoseStage:
    """One worker process."""

    role = WORKER

    def __init__(
        self,
        reader: FrameConsumer,
        registry: Registry,
        estimator: PoseEstimator,
        settings: WorkerSettings,
        shared: SharedFrames | None = None,
        leave: Callable[[int], object] = exit_with_stack_traces,
    ) -> None:
        """`shared` is where pictures are that go through this machine's memory; `leave(exit code)` ends a process in
        which a thread hangs."""
        self._reader = reader
        self._registry = registry
        self._estimator = estimator
        self._engine = estimator.engine
        self._settings = settings
        self._metrics = Metrics()
        self._held = InFlight()
        threads = settings.decode_threads or default_decode_threads(self._engine.device)
        self._watch = HangWatch(settings.hang_s)
        self._guard = HangGuard(self._watch, self._end_hung)
        self._leave = leave
        self._hung, self._settled = threading.Event(), threading.Event()
        self._pipeline = Pipeline(estimator, self._metrics, threads, self._watch)
        self._shared = shared
        self._failures = Failures(reader, self._held, settings.max_deliveries)
        triage = Triage(settings, shared)
        self._intake = Intake(reader, self._pipeline, self._held, triage, self._metrics)
        self._taking = Background(self._intake.step, "take frames")
        self._keeping = Background(ClaimRenewal(reader, self._held, settings.reclaim_after_s).step, "keep frames")
        self._outbox: list[PoseResult] = []
        self._outbox_since_s = 0.0
        self._refreshed_at_s = -1e9
        self._synchronised_at_s = -1e9
        self._counts: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()

    def warm_up(self) -> None:
        """Set the engine up for the sizes that the settings name, before the first frame."""
        for size_px in self._settings.warm_up_px:
            for fit in self._estimator.warm_up(size_px):
                self._watch.know(fit.input_px)

    def step(self, now_s: float) -> bool:
        """One round: wait a moment for what the engine has seen, and commit it."""
        self._refresh(now_s)
        self._guard.start()
        self._keeping.check()
        self._taking.check()
        if len(self._outbox) >= OUTBOX_FULL:
            # The broker reads but takes nothing, being full, say: what is not committed must not pile up here.
            self._commit()
        for outcome in self._pipeline.collect(self._patience_s(now_s)):
            self._receive(outcome)
        self._failures.write()
        if self._worth_committing(time.monotonic()) or self._hung.is_set():
            self._commit()
        if self._hung.is_set():
            self._settled.set()
        return True

    @property
    def has_computed(self) -> bool:
        """Whether the engine has ever computed anything: else it is no use starting this worker again."""
        return self._watch.has_computed

    @property
    def in_flight(self) -> int:
        """Entries that this worker has taken and not yet answered."""
        return len(self._held)

    def report(self) -> ProcessReport:
        worker = WorkerReport(
            engine=self._engine.name,
            precision=self._engine.precision,
            device=self._engine.device,
            imgsz=self._settings.imgsz,
            largest_imgsz=self._settings.largest_imgsz,
            frames=self._counts["frames"],
            dead=self._counts["dead"],
            skipped=dict(self._skipped),
            enhance=_newest(self._pipeline.enhanced),
        )
        return ProcessReport(WORKER, metrics=self._metrics.snapshot(), worker=worker)

    def drain(self) -> None:
        """Take nothing more, finish what was taken, commit it, and leave the group."""
        self._taking.stop(DRAIN_TIMEOUT_S)
        moved_at_s = time.monotonic()
        while not self._pipeline.empty:
            outcomes = self._pipeline.collect(IDLE_WAIT_S)
            for outcome in outcomes:
                self._receive(outcome)
            now_s = time.monotonic()
            moved_at_s = now_s if outcomes else moved_at_s
            if now_s - moved_at_s > DRAIN_TIMEOUT_S:
                log.warning("leaving with %d frames unfinished; another worker will take them over", len(self._held))
                break
        self._failures.write()
        self._commit()
        suspect = self._intake.alone
        if suspect is not None and suspect.key in self._held:
            self._failures.withdraw(suspect)
        self._reader.leave(self._intake.cameras)

    def close(self) -> None:
        self._taking.stop(IDLE_WAIT_S)
        self._keeping.stop(0.0)
        self._pipeline.close()
        self._guard.stop()
        self._engine.close()

    def _refresh(self, now_s: float) -> None:
        # With nothing to do, looking often costs nobody anything, and the first camera does not wait.
        every_s = CAMERAS_REFRESH_S if self._intake.cameras else IDLE_WAIT_S / 2
        if now_s - self._refreshed_at_s < every_s:
            return
        self._intake.cameras = {record.camera: record.delivery for record in self._registry.cameras()}
        self._refreshed_at_s = now_s
        if now_s - self._synchronised_at_s >= CLOCK_REFRESH_S:
            self._reader.synchronise(self._intake.cameras)
            self._synchronised_at_s = now_s

    def _patience_s(self, now_s: float) -> float:
        """How long to wait for results: not past the moment when those that are there are to be committed."""
        if not self._outbox:
            return IDLE_WAIT_S if self._intake.cameras else IDLE_WAIT_S / 2
        return min(IDLE_WAIT_S, self._outbox_since_s + COMMIT_WAIT_S - now_s)

    def _worth_committing(self, now_s: float) -> bool:
        """Live results at once; lossless ones a few together, unless nothing follows."""
        results = self._outbox
        return bool(results) and (
            len(results) >= COMMIT_TOGETHER
            or now_s >= self._outbox_since_s + COMMIT_WAIT_S
            or self._pipeline.empty
            or any(result.live for result in results)
        )

    def _receive(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            log.warning("camera %s: inference failed: %s", outcome.job.frame.camera, outcome.error)
            last = self._failures.failed(outcome)
            if last is None:
                return
            outcome = last
        if not self._outbox:
            self._outbox_since_s = time.monotonic()
        if isinstance(outcome, Seen):
            self._outbox.append(people_of(outcome, self._metrics, self._settings))
            return
        if outcome.dead_reason is not None:
            outcome = with_picture(outcome, self._shared)
        self._outbox.append(outcome)
        if outcome.dead_reason is not None:
            self._counts["dead"] += 1
            self._metrics.count("posebus_dead_letters_total")
            log.warning("camera %s: a frame goes to the dead letters: %s", outcome.entry.camera, outcome.dead_reason)
        elif isinstance(outcome.body, Skipped):
            self._skipped[outcome.body.reason] += 1
            self._metrics.count("posebus_frames_skipped_total", reason=outcome.body.reason)

    def _commit(self) -> None:
        if not self._outbox:
            return
        began_s = time.monotonic()
        self._reader.commit(self._outbox)
        # Only now: a commit that failed is repeated by the next step, and must not be reclaimed by ourselves meanwhile.
        self._held.release(result.entry for result in self._outbox)
        self._discard_shared()
        self._metrics.observe("posebus_stage_seconds", time.monotonic() - began_s, stage="commit")
        self._count_committed()
        self._outbox.clear()

    def _end_hung(self, hang: Hang) -> None:
        """In a thread of its own: the main one may wait for the very thing that hangs."""
        frames = ", ".join(f"camera {job.frame.camera} frame {job.frame.epoch}:{job.frame.seq}" for job in hang.jobs)
        log.error(
            "the %s has not come back with %s for %.0f s (worker.hang_s): this worker ends and has to be started again",
            hang.where,
            frames or "a picture of nothing",
            hang.for_s,
        )
        noting = threading.Thread(target=self._failures.hung, args=(hang,), daemon=True)
        noting.start()
        self._hung.set()
        self._settled.wait(LAST_COMMIT_S)
        noting.join(LAST_COMMIT_S)
        self._leave(EXIT_STUCK)

    def _discard_shared(self) -> None:
        """Not before the commit: whoever takes a frame over needs its picture."""
        for result in self._outbox:
            frame = result.entry.body
            if self._shared is not None and isinstance(frame, Frame) and frame.encoding == "shared":
                self._shared.discard(frame.data.decode())

    def _count_committed(self) -> None:
        now_ns = time.time_ns()
        for result in self._outbox:
            if not isinstance(result.body, PoseFrame) or result.provenance is None:
                continue
            self._counts["frames"] += 1
            self._metrics.count("posebus_frames_total")
            provenance = result.provenance
            age = age_s(result.body.captured_at_ns, provenance.frame_published_at_ns, provenance.clock, now_ns)
            self._metrics.observe("posebus_age_at_publish_seconds", age, stage="poses")


def _newest(enhanced: Mapping[str, tuple[int, str]]) -> dict[str, Enhancement]:
    """The enhancements of the cameras whose images were enhanced last."""
    latest = sorted(enhanced.items(), key=lambda item: -item[1][0])[:ENHANCED_TOLD]
    return {camera: Enhancement(at_ns, text) for camera, (at_ns, text) in latest}
