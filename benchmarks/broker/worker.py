"""A simulated worker: it reads, holds and commits frames as workers/pose_stage.py does, and infers nothing."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.broker.script import Script, people_of
from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.settings import RetentionSettings, WorkerSettings
from posebus.messages import Frame, Provenance
from workers.intake.round_robin import ReadPlan
from workers.job import skip

CAMERAS_REFRESH_S = 0.25
IDLE_BLOCK_MS = 100
BUSY_WAIT_S = 0.01
"""As in workers/pose_stage.py, which cannot be imported without its engines."""
DEAD_LETTERS_KEPT = 100


class ScriptedWorker:
    """Answers each frame after `inference_s` with the poses of `script`; at most `slots` frames are in flight."""

    role = "worker"

    def __init__(self, broker: Broker, consumer: str, script: Script, slots: int, inference_s: float) -> None:
        self.counts: Counter[str] = Counter()
        self._consumer = FrameConsumer(broker, consumer, RetentionSettings(dead_entries=DEAD_LETTERS_KEPT))
        self._registry = Registry(broker)
        self._script = script
        self._slots = slots
        self._inference_s = inference_s
        self._settings = WorkerSettings()
        self._plan = ReadPlan()
        self._in_flight: deque[tuple[float, PoseResult]] = deque()
        self._outbox: list[PoseResult] = []
        self._cameras: list[str] = []
        self._refreshed_at_s = -1e9
        self._reclaimed_at_s = time.monotonic()

    def step(self, now_s: float) -> None:
        """One round: commit what is ready, read as many frames as there are free slots, and wait briefly."""
        self._commit()
        if now_s - self._refreshed_at_s >= CAMERAS_REFRESH_S:
            self._cameras = [record.camera for record in self._registry.cameras()]
            self._consumer.synchronise()
            self._refreshed_at_s = now_s
        if self._free() >= max(1, self._slots // 2):
            self._read(now_s)
        if self._in_flight and not self._outbox:
            wait_s = BUSY_WAIT_S if self._free() else IDLE_BLOCK_MS / 1000
            time.sleep(max(0.0, min(wait_s, self._in_flight[0][0] - time.monotonic())))
        while self._in_flight and self._in_flight[0][0] <= time.monotonic():
            self._outbox.append(self._in_flight.popleft()[1])

    def report(self) -> dict[str, Any]:
        return {"ready": True, "frames": self.counts["poses"], "in_flight": len(self._in_flight)}

    def leave(self) -> None:
        """Leave the consumer group, as a worker that is stopped does."""
        self._consumer.leave(self._cameras)

    def _free(self) -> int:
        return self._slots - len(self._in_flight)

    def _read(self, now_s: float) -> None:
        if now_s - self._reclaimed_at_s >= self._settings.reclaim_after_s / 4:
            self._reclaimed_at_s = now_s
            idle_ms = int(self._settings.reclaim_after_s * 1000)
            self._accept(self._consumer.reclaim(self._cameras, idle_ms, max(1, self._free())))
        for cameras, count in self._plan.rounds(self._cameras, self._free):
            self._accept(self._consumer.read(cameras, count, None))
        if self._cameras and not self._in_flight and not self._outbox:
            self._accept(self._consumer.read(self._cameras, 1, IDLE_BLOCK_MS))

    def _accept(self, entries: Sequence[FrameEntry]) -> None:
        for entry in entries:
            frame = entry.body
            if not isinstance(frame, Frame):
                raise SystemExit(f"camera {entry.camera}: an entry is not from a simulated camera: {entry.defect}")
            if self._consumer.age_ms(entry) > self._settings.max_age_ms:
                self._outbox.append(skip(entry, frame, "too old"))
                continue
            cycle = self._script.poses[people_of(frame.camera)]
            lineage = {name: getattr(frame, name) for name in ("camera", "epoch", "seq", "captured_at_ns")}
            poses = replace(cycle[frame.seq % len(cycle)], **lineage)
            provenance = Provenance(frame.clock, frame.delivery, frame.published_at_ns)
            self._in_flight.append((time.monotonic() + self._inference_s, PoseResult(entry, poses, provenance)))

    def _commit(self) -> None:
        if self._outbox:
            self._consumer.commit(self._outbox)
            self.counts["poses"] += len(self._outbox)
            self._outbox = []
