"""What a worker takes from the broker: frames that dead workers left, then new ones, each camera its share."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from posebus.bus.frame_reader import FrameEntry, FrameReader, PoseResult
from posebus.messages import Delivery
from posebus.metrics import Metrics
from workers.batching import ReadPlan
from workers.held import Held
from workers.pipeline import Pipeline
from workers.triage import Triage, freshest

IDLE_BLOCK_MS = 100
LIVE_READ_COUNT = 8
BEHIND_SHARE = 0.25
"""A camera whose next frame has waited for this part of `max_age_ms` has fallen behind."""


class Intake:
    """Reads in a thread of its own, so that a frame that comes is taken at once, whatever else goes on."""

    def __init__(self, reader: FrameReader, pipeline: Pipeline, held: Held, triage: Triage, metrics: Metrics) -> None:
        self.cameras: Mapping[str, Delivery] = {}
        self._reader = reader
        self._pipeline = pipeline
        self._held = held
        self._triage = triage
        self._settings = triage.settings
        self._metrics = metrics
        self._plan = ReadPlan()
        self._reclaimed_at_s = 0.0

    def step(self, now_s: float) -> None:
        """Fill the pipeline; where nothing waits, sleep in the broker until the first frame comes."""
        cameras = self.cameras
        if not cameras:
            time.sleep(IDLE_BLOCK_MS / 10_000)
            return
        if not self._pipeline.wait_for_room(IDLE_BLOCK_MS / 1000):
            return
        taken = self._reclaim(cameras, now_s)
        for names, count in self._plan.rounds(list(cameras), lambda: self._pipeline.free):
            live = [camera for camera in names if cameras[camera] is Delivery.LIVE]
            lossless = [camera for camera in names if cameras[camera] is Delivery.LOSSLESS]
            if lossless:
                taken += self._accept(self._read(lossless, count), now_s)
            if live:
                taken += self._take_freshest(live, count, now_s)
        if not taken:
            self._accept(self._reader.read(cameras, 1, IDLE_BLOCK_MS), time.monotonic())

    def _take_freshest(self, cameras: list[str], count: int, now_s: float) -> int:
        """The next frames of live cameras; of one that has fallen behind, the newest `count` of all that waits.

        In overload every camera is then seen as it is now, and not as it was `max_age_ms` ago. Frames that only wait
        their turn for a moment are taken in order: nothing is skipped while there is room.
        """
        waiting: dict[str, list[FrameEntry]] = {camera: [] for camera in cameras}
        turn, size = cameras, count
        while turn:
            entries = self._read(turn, size)
            for entry in entries:
                waiting[entry.camera].append(entry)
            read = Counter(entry.camera for entry in entries)
            turn = [camera for camera in turn if read[camera] == size and self._is_behind(waiting[camera][0])]
            size = LIVE_READ_COUNT
        taken = 0
        for entries in waiting.values():
            kept, overtaken = freshest(entries, count)
            for result in overtaken:
                self._answer(result)
            taken += self._accept(kept, now_s)
        return taken

    def _is_behind(self, entry: FrameEntry) -> bool:
        return self._reader.age_ms(entry) > BEHIND_SHARE * self._settings.max_age_ms

    def _read(self, cameras: Sequence[str], count: int) -> list[FrameEntry]:
        began_s = time.monotonic()
        entries = self._reader.read(cameras, count, None)
        if entries:
            self._metrics.observe("posebus_stage_seconds", time.monotonic() - began_s, stage="read")
        return entries

    def _reclaim(self, cameras: Mapping[str, Delivery], now_s: float) -> int:
        if now_s - self._reclaimed_at_s < self._settings.reclaim_after_s / 4:
            return 0
        self._reclaimed_at_s = now_s
        idle_ms = int(self._settings.reclaim_after_s * 1000)
        taken = 0
        for camera in cameras:
            if self._pipeline.free <= 0:
                break
            entries = self._reader.reclaim(camera, idle_ms, self._pipeline.free)
            taken += self._accept([entry for entry in entries if entry not in self._held], now_s)
        return taken

    def _accept(self, entries: Sequence[FrameEntry], now_s: float) -> int:
        """Give the pipeline what is worth inferring; returns how many entries there were."""
        for entry in entries:
            found = self._triage(entry, self._reader.age_ms(entry), now_s)
            if isinstance(found, PoseResult):
                self._answer(found)
            else:
                self._held.add(entry)
                self._pipeline.add(found)
        return len(entries)

    def _answer(self, result: PoseResult) -> None:
        self._held.add(result.entry)
        self._pipeline.answer(result)
