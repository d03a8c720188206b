"""What a worker takes from the broker: frames that dead workers left, then new ones, each camera its share."""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.reclaim import GONE, EntryKey
from posebus.messages import Delivery
from posebus.telemetry.metrics import Metrics
from workers.inference.pipeline import Pipeline
from workers.intake.in_flight import InFlight
from workers.intake.round_robin import ReadPlan
from workers.intake.triage import Triage, freshest
from workers.job import Job

IDLE_BLOCK_MS = 100
LIVE_READ_COUNT = 8
BEHIND_SHARE = 0.25
"""A camera whose next frame has waited for this part of `max_age_ms` has fallen behind."""

LOOK_SHARE = 1 / 6
"""Of `reclaim_after_s`: how often, about, a worker looks for frames that others left."""
SUSPECTS_AT_ONCE = 4
"""They are tried one after the other: more than that are left to the other workers."""
OTHERS_FIRST = 2.0
"""A worker that failed with a frame leaves it to others for so many times `reclaim_after_s`."""


class Intake:
    """Reads in a thread of its own, so that a frame that comes is taken at once, whatever else goes on.

    Frames that were inside a worker that went are tried alone: should this one go too, it is known why, and no frame is
    condemned for its neighbours.
    """

    def __init__(
        self, reader: FrameConsumer, pipeline: Pipeline, held: InFlight, triage: Triage, metrics: Metrics
    ) -> None:
        self.cameras: Mapping[str, Delivery] = {}
        self._reader = reader
        self._pipeline = pipeline
        self._held = held
        self._triage = triage
        self._settings = triage.settings
        self._metrics = metrics
        self._plan = ReadPlan()
        self._reclaim_at_s = 0.0
        self._suspects: deque[Job] = deque()
        self.alone: FrameEntry | None = None
        """The suspect that is being tried, with the attempt under way."""

    def step(self, now_s: float) -> None:
        """Fill the pipeline; where nothing waits, sleep in the broker until the first frame comes."""
        cameras = self.cameras
        if not cameras:
            time.sleep(IDLE_BLOCK_MS / 10_000)
            return
        if self._suspects or self.alone is not None:
            self._try_alone(IDLE_BLOCK_MS / 1000)
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
        if now_s < self._reclaim_at_s:
            return 0
        after_s = self._settings.reclaim_after_s
        entries = self._reader.reclaim(cameras, int(after_s * 1000), SUSPECTS_AT_ONCE, self._passes_over)
        # Where there were many there may be more, once these were tried. Else: not all workers at the same moment.
        many = len(entries) == SUSPECTS_AT_ONCE
        self._reclaim_at_s = now_s if many else now_s + LOOK_SHARE * after_s * random.uniform(0.5, 1.0)
        if entries:
            self._metrics.count("posebus_frames_reclaimed_total", len(entries))
        return self._accept(entries, now_s)

    def _passes_over(self, place: EntryKey, idle_s: float) -> bool:
        patience_s = OTHERS_FIRST * self._settings.reclaim_after_s
        return place in self._held or (self._held.refused(place) and idle_s < patience_s)

    def _try_alone(self, timeout_s: float) -> None:
        """The next suspect, once everything else that this worker took is committed."""
        if not self._held.wait_for_at_most(len(self._suspects), timeout_s):
            return
        self.alone = None
        if self._suspects:
            job = self._suspects[0]
            self._pipeline.add_alone(job, lambda: self._begin(job))

    def _begin(self, job: Job) -> Job:
        """From here on the frame is to blame if this process goes. Raises BrokerUnavailable: then nothing has begun."""
        self.alone = self._reader.note(job.entry, [*job.entry.attempts, self._reader.attempt(GONE)])
        self._suspects.popleft()
        return replace(job, entry=self.alone)

    def _accept(self, entries: Sequence[FrameEntry], now_s: float) -> int:
        """Give the pipeline what is worth inferring; returns how many entries there were."""
        for entry in entries:
            found = self._triage(entry, self._reader.age_ms(entry), now_s)
            if isinstance(found, PoseResult):
                self._answer(found)
                continue
            self._held.add(entry)
            if entry.suspect:
                self._suspects.append(found)
            else:
                self._pipeline.add(found)
        return len(entries)

    def _answer(self, result: PoseResult) -> None:
        self._held.add(result.entry)
        self._pipeline.answer(result)
