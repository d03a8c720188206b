"""What a worker takes from the broker: frames that other workers left, then new ones, each camera its share."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.reclaim import EntryKey
from posebus.config.settings import WorkerSettings
from posebus.messages import Delivery
from posebus.telemetry.metrics import Metrics
from workers.inference.pipeline import InferencePipeline
from workers.intake.cameras import CameraList
from workers.intake.entry_filter import EntryFilter, keep_newest_live
from workers.intake.in_flight import InFlight
from workers.intake.round_robin import ReadPlan
from workers.intake.suspects import Suspects

IDLE_BLOCK_MS = 100
NO_CAMERA_SLEEP_S = 0.01
LIVE_READ_COUNT = 8
BEHIND_SHARE = 0.25
"""A camera has fallen behind when its next frame has waited for this share of `max_age_ms`."""

RECLAIM_SHARE = 1 / 6
"""A worker asks for frames that others left about every such share of `reclaim_after_s`."""
SUSPECTS_AT_ONCE = 4
"""Suspects are tried one after the other, and more than these are left to the other workers."""
OTHERS_FIRST = 2.0
"""A worker that failed with a frame leaves it to others for this many times `reclaim_after_s`."""


class Intake:
    """Reads entries and gives them to the pipeline. `step` is repeated by a thread of its own.

    So a frame is taken as soon as it arrives, even while the main thread commits. Reclaimed frames are suspects
    (`workers.intake.suspects`).
    """

    def __init__(
        self,
        consumer: FrameConsumer,
        cameras: CameraList,
        pipeline: InferencePipeline,
        in_flight: InFlight,
        suspects: Suspects,
        entry_filter: EntryFilter,
        settings: WorkerSettings,
        metrics: Metrics,
    ) -> None:
        self._consumer = consumer
        self._cameras = cameras
        self._pipeline = pipeline
        self._in_flight = in_flight
        self._suspects = suspects
        self._entry_filter = entry_filter
        self._settings = settings
        self._metrics = metrics
        metrics.count("posebus_frames_reclaimed_total", 0)
        self._plan = ReadPlan()
        self._reclaim_at_s = 0.0

    def step(self, now_s: float) -> None:
        """Fill the pipeline; if no entry waits, block in the broker until the first one arrives."""
        cameras = self._cameras.deliveries
        if not cameras:
            time.sleep(NO_CAMERA_SLEEP_S)
            return
        if self._suspects.pending:
            self._suspects.try_next(IDLE_BLOCK_MS / 1000)
            return
        if not self._pipeline.wait_for_room(IDLE_BLOCK_MS / 1000):
            return
        entries = self._reclaim(cameras, now_s)
        for names, count in self._plan.rounds(list(cameras), lambda: self._pipeline.free):
            live = [camera for camera in names if cameras[camera] is Delivery.LIVE]
            lossless = [camera for camera in names if cameras[camera] is Delivery.LOSSLESS]
            if lossless:
                entries += self._accept(self._read(lossless, count), now_s)
            if live:
                entries += self._accept_newest(live, count, now_s)
        if not entries:
            self._accept(self._consumer.read(cameras, 1, IDLE_BLOCK_MS), time.monotonic())

    def _accept_newest(self, cameras: list[str], count: int, now_s: float) -> int:
        """Accept the next frames of live cameras; of a camera that has fallen behind, the newest `count`.

        In overload each camera's people are then found where they are now, and not where they were `max_age_ms` ago.
        Frames that have waited only for a moment are accepted in order: none is skipped while there is room.
        """
        waiting: dict[str, list[FrameEntry]] = {camera: [] for camera in cameras}
        behind, size = cameras, count
        while behind:
            entries = self._read(behind, size)
            for entry in entries:
                waiting[entry.camera].append(entry)
            read = Counter(entry.camera for entry in entries)
            behind = [camera for camera in behind if read[camera] == size and self._is_behind(waiting[camera][0])]
            size = LIVE_READ_COUNT
        accepted = 0
        for entries in waiting.values():
            kept, overtaken = keep_newest_live(entries, count)
            for result in overtaken:
                self._answer(result)
            accepted += self._accept(kept, now_s)
        return accepted

    def _is_behind(self, entry: FrameEntry) -> bool:
        return self._consumer.age_ms(entry) > BEHIND_SHARE * self._settings.max_age_ms

    def _read(self, cameras: Sequence[str], count: int) -> list[FrameEntry]:
        began_s = time.monotonic()
        entries = self._consumer.read(cameras, count, None)
        if entries:
            self._metrics.observe("posebus_stage_seconds", time.monotonic() - began_s, stage="read")
        return entries

    def _reclaim(self, cameras: Mapping[str, Delivery], now_s: float) -> int:
        if now_s < self._reclaim_at_s:
            return 0
        after_s = self._settings.reclaim_after_s
        entries = self._consumer.reclaim(cameras, int(after_s * 1000), SUSPECTS_AT_ONCE, self._passes_over)
        # After a full answer there may be more, so that the next request follows once these were tried. Otherwise the
        # random share keeps workers from asking at the same moment.
        full = len(entries) == SUSPECTS_AT_ONCE
        self._reclaim_at_s = now_s if full else now_s + RECLAIM_SHARE * after_s * random.uniform(0.5, 1.0)
        if entries:
            self._metrics.count("posebus_frames_reclaimed_total", len(entries))
        return self._accept(entries, now_s)

    def _passes_over(self, key: EntryKey, idle_s: float) -> bool:
        patience_s = OTHERS_FIRST * self._settings.reclaim_after_s
        return key in self._in_flight or (self._in_flight.is_refused(key) and idle_s < patience_s)

    def _accept(self, entries: Sequence[FrameEntry], now_s: float) -> int:
        """Infer or answer each entry; returns how many entries there were."""
        for entry in entries:
            job = self._entry_filter.job_or_result(entry, self._consumer.age_ms(entry), now_s)
            if isinstance(job, PoseResult):
                self._answer(job)
                continue
            self._in_flight.add(entry)
            if entry.suspect:
                self._suspects.add(job)
            else:
                self._pipeline.add(job)
        return len(entries)

    def _answer(self, result: PoseResult) -> None:
        self._in_flight.add(result.entry)
        self._pipeline.answer(result)
