"""The worker's step: take frames of any camera, infer, commit poses and acknowledgement in one transaction.

Frames are decoded and submitted as soon as the engine has room, so that it never waits for the broker; results are
committed in the order in which they are ready. What a frame can do wrong ends here: damaged frames and frames that
fail again and again are dead-lettered with their reason, and a mark tells the tracker not to wait for them.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from typing import Any

from posebus.bus.frame_reader import FrameEntry, FrameReader, PoseResult
from posebus.bus.registry import Registry
from posebus.codec import skipped_frame
from posebus.errors import BadPicture, PoseBusError
from posebus.messages import Delivery, EndOfStream, Frame, PoseFrame, Provenance, Skipped
from posebus.settings import WorkerSettings
from workers.batching import Batch, BatchFormer, ReadPlan
from workers.engines.base import ImageArray
from workers.estimator import Pending, PoseEstimator
from workers.postprocess import Detections
from workers.preprocess import decode_image

CAMERAS_REFRESH_S = 0.25
IDLE_BLOCK_MS = 100
BUSY_WAIT_S = 0.01
DRAIN_TIMEOUT_S = 5.0

log = logging.getLogger("posebus.worker")


@dataclass(frozen=True, slots=True)
class Job:
    """One decoded frame between the broker and the engine."""

    entry: FrameEntry
    frame: Frame
    image_rgb: ImageArray


class PoseStage:
    """One worker process. Single-threaded, but for the engine."""

    role = "worker"

    def __init__(
        self, reader: FrameReader, registry: Registry, estimator: PoseEstimator, settings: WorkerSettings
    ) -> None:
        self._reader = reader
        self._registry = registry
        self._estimator = estimator
        self._settings = settings
        self._plan = ReadPlan()
        self._former: BatchFormer[Job] = BatchFormer(estimator.engine.batch)
        self._running: list[tuple[Pending, list[Job]]] = []
        self._outbox: deque[PoseResult] = deque()
        self._held: set[tuple[str, bytes]] = set()
        self._cameras: list[str] = []
        self._refreshed_at_s = -1e9
        self._reclaimed_at_s = 0.0
        self._counts: Counter[str] = Counter()

    def step(self, now_s: float) -> bool:
        """One round: commit what is ready, take what there is room for, wait a moment for the engine."""
        if self._worth_committing():
            self._commit()
        self._refresh(now_s)
        if self._worth_taking():
            self._take(now_s)
        self._submit(self._former.pop_ready(now_s))
        self._collect(BUSY_WAIT_S if self._free() else IDLE_BLOCK_MS / 1000)
        return True

    def report(self) -> dict[str, Any]:
        engine = self._estimator.engine
        skipped = {key.removeprefix("skipped "): n for key, n in self._counts.items() if key.startswith("skipped ")}
        return {
            "ready": True,
            "engine": engine.name,
            "precision": engine.precision,
            "device": engine.device,
            "imgsz": self._settings.imgsz,
            "frames": self._counts["frames"],
            "dead": self._counts["dead"],
            "skipped": skipped,
            "in_flight": len(self._held),
        }

    def drain(self) -> None:
        """Finish what the engine has, commit it, and leave the group."""
        self._submit(self._former.flush())
        while self._running:
            before = len(self._running)
            self._collect(DRAIN_TIMEOUT_S)
            if len(self._running) == before:
                log.warning("leaving with %d frames unfinished; another worker will take them over", len(self._held))
                break
        self._commit()
        self._reader.leave(self._cameras)

    def close(self) -> None:
        self._estimator.engine.close()

    def _free(self) -> int:
        return self._slots() - sum(len(jobs) for _, jobs in self._running) - len(self._former)

    def _worth_committing(self) -> bool:
        """Live results at once; lossless ones a few together, which costs half of what they cost one by one."""
        results = self._outbox
        return bool(results) and (
            not self._running or len(results) >= self._slots() // 2 or any(result.live for result in results)
        )

    def _worth_taking(self) -> bool:
        """Not for a single free slot: while others are busy the engine does not wait, and reading has its price."""
        return self._free() >= max(1, self._slots() // 2)

    def _slots(self) -> int:
        return self._estimator.engine.in_flight * self._estimator.engine.batch

    def _refresh(self, now_s: float) -> None:
        if now_s - self._refreshed_at_s < CAMERAS_REFRESH_S:
            return
        self._cameras = [record.camera for record in self._registry.cameras()]
        self._reader.synchronise()
        self._refreshed_at_s = now_s

    def _take(self, now_s: float) -> None:
        """Fill the engine: first with what dead workers left, then with new frames, a few of each camera."""
        self._reclaim(now_s)
        busy = bool(self._running) or len(self._former) > 0
        for cameras, count in self._plan.rounds(self._cameras, self._free):
            turn = cameras
            while turn:
                entries = self._reader.read(turn, count, None)
                useful = {entry.camera for entry in entries if self._accept(entry, now_s)}
                # A stale frame costs no slot and must not cost the camera its turn either, or a camera that has
                # fallen behind would only ever be given stale ones.
                turn = [camera for camera in turn if camera in {entry.camera for entry in entries} - useful]
            busy = busy or bool(self._held) or bool(self._outbox)
            if self._free() <= 0:
                return
        if not busy:
            # Nothing anywhere: sleep in the broker, on all cameras at once, until the first frame comes.
            for entry in self._reader.read(self._cameras, 1, IDLE_BLOCK_MS) if self._cameras else ():
                self._accept(entry, now_s)

    def _reclaim(self, now_s: float) -> None:
        if now_s - self._reclaimed_at_s < self._settings.reclaim_after_s / 4:
            return
        self._reclaimed_at_s = now_s
        idle_ms = int(self._settings.reclaim_after_s * 1000)
        for camera in self._cameras:
            if self._free() <= 0:
                return
            for entry in self._reader.reclaim(camera, idle_ms, self._free()):
                if (entry.camera, entry.entry_id) not in self._held:
                    self._accept(entry, now_s)

    def _accept(self, entry: FrameEntry, now_s: float) -> bool:
        """Decide what happens to one entry: pass on, skip, bury or decode it; False if it was skipped as stale."""
        self._held.add((entry.camera, entry.entry_id))
        body = entry.body
        if body is None:
            self._bury(entry, f"malformed: {entry.defect}")
        elif isinstance(body, EndOfStream):
            self._outbox.append(PoseResult(entry, body))
        elif entry.deliveries > self._settings.max_deliveries:
            self._bury(entry, f"given up after {entry.deliveries - 1} deliveries")
        elif body.delivery is Delivery.LIVE and self._reader.age_ms(entry) > self._settings.max_age_ms:
            self._counts["skipped too old"] += 1
            mark = Skipped(body.camera, body.epoch, body.seq, body.captured_at_ns, body.delivery, "too old")
            self._outbox.append(PoseResult(entry, mark))
            return False
        else:
            self._decode(entry, body, now_s)
        return True

    def _decode(self, entry: FrameEntry, frame: Frame, now_s: float) -> None:
        try:
            image = decode_image(frame.data, frame.encoding, frame.image_size_px)
        except BadPicture as error:
            self._bury(entry, str(error))
            return
        fit = self._estimator.fit((image.shape[1], image.shape[0]))
        self._former.add(Job(entry, frame, image), fit.input_px, now_s)

    def _bury(self, entry: FrameEntry, reason: str) -> None:
        self._counts["dead"] += 1
        log.warning("camera %s: a frame goes to the dead letters: %s", entry.camera, reason)
        self._outbox.append(PoseResult(entry, skipped_frame(entry.raw, reason[:200]), dead_reason=reason))

    def _submit(self, batches: list[Batch[Job]]) -> None:
        for batch in batches:
            jobs = list(batch.items)
            pending = self._estimator.submit([job.image_rgb for job in jobs], [job.frame.size_px for job in jobs])
            self._running.append((pending, jobs))

    def _collect(self, wait_s: float) -> None:
        if not self._running:
            return
        wait([pending.future for pending, _ in self._running], wait_s, FIRST_COMPLETED)
        still_running = []
        for pending, jobs in self._running:
            if pending.done():
                self._finish(pending, jobs)
            else:
                still_running.append((pending, jobs))
        self._running = still_running

    def _finish(self, pending: Pending, jobs: list[Job]) -> None:
        try:
            people = pending.result()
        except (PoseBusError, RuntimeError, ValueError) as error:
            # The engine choked on this input. It is not acknowledged, so that after a pause another worker tries it,
            # and after max_deliveries it is buried.
            log.warning("camera %s: inference failed: %s", jobs[0].entry.camera, error)
            self._held.difference_update((job.entry.camera, job.entry.entry_id) for job in jobs)
            return
        for job, detections in zip(jobs, people, strict=True):
            self._counts["frames"] += 1
            provenance = Provenance(job.frame.clock, job.frame.delivery, job.frame.published_at_ns)
            self._outbox.append(PoseResult(job.entry, _pose_frame(job.frame, detections), provenance))

    def _commit(self) -> None:
        if not self._outbox:
            return
        results = list(self._outbox)
        self._reader.commit(results)
        # Only now: a commit that failed is repeated by the next step, and must not be reclaimed by ourselves meanwhile.
        self._held.difference_update((result.entry.camera, result.entry.entry_id) for result in results)
        self._outbox.clear()


def _pose_frame(frame: Frame, people: Detections) -> PoseFrame:
    return PoseFrame(
        camera=frame.camera,
        epoch=frame.epoch,
        seq=frame.seq,
        captured_at_ns=frame.captured_at_ns,
        size_px=frame.size_px,
        boxes_xyxy_px=people.boxes_xyxy_px,
        scores=people.scores,
        keypoints_px=people.keypoints_px,
    )
