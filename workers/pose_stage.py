"""The worker's step: take frames of any camera, infer, commit poses and acknowledgement in one transaction.

Frames are decoded and submitted as soon as the engine has room, so that it never waits for the broker; results are
committed in the order in which they are ready. What a frame can do wrong ends here: damaged frames and frames that
fail again and again are dead-lettered with their reason, and a mark tells the tracker not to wait for them.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any

from posebus.bus.frame_reader import FrameEntry, FrameReader, PoseResult
from posebus.bus.registry import Registry
from posebus.errors import PoseBusError
from posebus.messages import Delivery, PoseFrame, Provenance, Skipped
from posebus.settings import WorkerSettings
from workers.appearance import describe
from workers.batching import Batch, BatchFormer, ReadPlan
from workers.estimator import Pending, PoseEstimator
from workers.postprocess import Detections
from workers.triage import Job, freshest, triage

CAMERAS_REFRESH_S = 0.25
IDLE_BLOCK_MS = 100
BUSY_WAIT_S = 0.01
LIVE_READ_COUNT = 8
BEHIND_SHARE = 0.25
"""A camera whose next frame has waited for this part of `max_age_ms` has fallen behind."""
DRAIN_TIMEOUT_S = 5.0

log = logging.getLogger("posebus.worker")


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
        self._cameras: dict[str, Delivery] = {}
        self._refreshed_at_s = -1e9
        self._reclaimed_at_s = 0.0
        self._counts: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()

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
        return {
            "ready": True,
            "engine": engine.name,
            "precision": engine.precision,
            "device": engine.device,
            "imgsz": self._settings.imgsz,
            "frames": self._counts["frames"],
            "dead": self._counts["dead"],
            "skipped": dict(self._skipped),
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
        self._cameras = {record.camera: record.delivery for record in self._registry.cameras()}
        self._reader.synchronise()
        self._refreshed_at_s = now_s

    def _take(self, now_s: float) -> None:
        """Fill the engine: first with what dead workers left, then with new frames, each camera its share."""
        self._reclaim(now_s)
        for cameras, count in self._plan.rounds(list(self._cameras), self._free):
            live = [camera for camera in cameras if self._cameras[camera] is Delivery.LIVE]
            lossless = [camera for camera in cameras if self._cameras[camera] is Delivery.LOSSLESS]
            if lossless:
                self._accept(self._reader.read(lossless, count, None), now_s)
            if live:
                self._take_freshest(live, count, now_s)
        if self._cameras and not self._held:
            # Nothing anywhere: sleep in the broker, on all cameras at once, until the first frame comes.
            self._accept(self._reader.read(self._cameras, 1, IDLE_BLOCK_MS), now_s)

    def _take_freshest(self, cameras: list[str], count: int, now_s: float) -> None:
        """The next frames of live cameras; of one that has fallen behind, the newest `count` of all that waits.

        In overload every camera is then seen as it is now, and not as it was `max_age_ms` ago. Frames that only wait
        their turn for a moment are taken in order: nothing is skipped while there is room.
        """
        waiting: dict[str, list[FrameEntry]] = {camera: [] for camera in cameras}
        turn, size = cameras, count
        while turn:
            entries = self._reader.read(turn, size, None)
            for entry in entries:
                waiting[entry.camera].append(entry)
            read = Counter(entry.camera for entry in entries)
            turn = [camera for camera in turn if read[camera] == size and self._is_behind(waiting[camera][0])]
            size = LIVE_READ_COUNT
        for entries in waiting.values():
            kept, overtaken = freshest(entries, count)
            for result in overtaken:
                self._answer(result)
            self._accept(kept, now_s)

    def _is_behind(self, entry: FrameEntry) -> bool:
        return self._reader.age_ms(entry) > BEHIND_SHARE * self._settings.max_age_ms

    def _reclaim(self, now_s: float) -> None:
        if now_s - self._reclaimed_at_s < self._settings.reclaim_after_s / 4:
            return
        self._reclaimed_at_s = now_s
        idle_ms = int(self._settings.reclaim_after_s * 1000)
        for camera in self._cameras:
            if self._free() <= 0:
                return
            entries = self._reader.reclaim(camera, idle_ms, self._free())
            self._accept([entry for entry in entries if (camera, entry.entry_id) not in self._held], now_s)

    def _accept(self, entries: Sequence[FrameEntry], now_s: float) -> None:
        for entry in entries:
            found = triage(entry, self._reader.age_ms(entry), self._settings)
            if isinstance(found, PoseResult):
                self._answer(found)
                continue
            self._held.add((entry.camera, entry.entry_id))
            height_px, width_px = found.image_rgb.shape[:2]
            self._former.add(found, self._estimator.fit((width_px, height_px)).input_px, now_s)

    def _answer(self, result: PoseResult) -> None:
        """Put a result that needed no inference into the outbox."""
        self._held.add((result.entry.camera, result.entry.entry_id))
        self._outbox.append(result)
        if result.dead_reason is not None:
            self._counts["dead"] += 1
            log.warning("camera %s: a frame goes to the dead letters: %s", result.entry.camera, result.dead_reason)
        elif isinstance(result.body, Skipped):
            self._skipped[result.body.reason] += 1

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
            self._outbox.append(PoseResult(job.entry, self._pose_frame(job, detections), provenance))

    def _pose_frame(self, job: Job, people: Detections) -> PoseFrame:
        frame = job.frame
        return PoseFrame(
            camera=frame.camera,
            epoch=frame.epoch,
            seq=frame.seq,
            captured_at_ns=frame.captured_at_ns,
            size_px=frame.size_px,
            boxes_xyxy_px=people.boxes_xyxy_px,
            scores=people.scores,
            keypoints_px=people.keypoints_px,
            appearance=describe(job.image_rgb, people, frame.size_px) if self._settings.appearance else None,
        )

    def _commit(self) -> None:
        if not self._outbox:
            return
        results = list(self._outbox)
        self._reader.commit(results)
        # Only now: a commit that failed is repeated by the next step, and must not be reclaimed by ourselves meanwhile.
        self._held.difference_update((result.entry.camera, result.entry.entry_id) for result in results)
        self._outbox.clear()
