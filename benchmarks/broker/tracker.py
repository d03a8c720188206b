"""A simulated tracker: it leases, reads and commits as in tracking/track_stage.py, and answers with recorded tracks."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

from benchmarks.broker.script import Script, people_of
from posebus.bus.lease import Lease, renew_all
from posebus.bus.pose_consumer import PoseConsumer, PoseEntry, TrackCommit
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.settings import RetentionSettings, TrackerSettings
from posebus.contract.events import Position, camera_event
from posebus.errors import LeaseLost
from posebus.messages import Event, EventType, PoseFrame, Provenance, TrackFrame

READ_COUNT = 64
BLOCK_MS = 50
RENEW_S = 0.25
EARLIER_PENDING_S = 2.0
"""As in tracking/track_stage.py: intervals of renewing leases and of reading entries pending with earlier trackers."""
EVENT_EVERY = 75
"""Frames of a camera between two events: one every five seconds at 15 frames a second."""
KEPT_TRACKS = 200
"""Entries of each tracks stream that the broker keeps; thousands would only fill its memory."""


class ScriptedTracker:
    """Owns `cameras` and answers their poses with the tracks and the snapshots of `script`."""

    role = "tracker"

    def __init__(self, broker: Broker, consumer: str, script: Script, cameras: tuple[str, ...]) -> None:
        self.counts: Counter[str] = Counter()
        self.ages: list[tuple[float, float, float]] = []
        self._broker = broker
        self._consumer = PoseConsumer(broker, consumer, RetentionSettings(tracks_entries=KEPT_TRACKS))
        self._registry = Registry(broker)
        self._script = script
        self._lease_s = TrackerSettings().lease_s
        # Longer than any stall of an overloaded step, because expiring leases are not to be measured.
        self._leases = {camera: Lease(broker, camera, self.role, consumer, 60.0) for camera in cameras}
        for camera, lease in self._leases.items():
            if not lease.acquire():
                raise LeaseLost(
                    f"another tracker owns camera {camera}: is a deployment running on this broker?", camera=camera
                )
        self._next_renewal_at_s = time.monotonic() + RENEW_S
        self._next_earlier_at_s = time.monotonic() + EARLIER_PENDING_S
        self._broker_offset_ms = broker.now_ns() / 1e6 - time.monotonic() * 1e3

    def step(self, now_s: float) -> None:
        """Renew the leases, read new poses and commit them camera by camera."""
        if now_s >= self._next_renewal_at_s:
            self._registry.cameras()
            self._registry.processes()
            renew_all(self._broker, list(self._leases.values()))
            self._next_renewal_at_s = now_s + RENEW_S
        entries: dict[str, list[PoseEntry]] = {}
        for entry in self._consumer.read(self._leases, READ_COUNT, BLOCK_MS):
            entries.setdefault(entry.camera, []).append(entry)
        if now_s >= self._next_earlier_at_s:
            self._next_earlier_at_s = now_s + EARLIER_PENDING_S
            for camera in self._leases:
                for entry in self._consumer.take_over(camera, int(2000 * self._lease_s)):
                    entries.setdefault(camera, []).append(entry)
        for camera, items in entries.items():
            self._commit(camera, items)

    def report(self) -> dict[str, Any]:
        """Values for each camera, as many as in a tracker's report."""
        cameras = {camera: {"frames": 0, "skipped": 0, "people": 0, "age_ms": 0.0} for camera in self._leases}
        return {"ready": True, "cameras": cameras}

    def leave(self) -> None:
        """Release the leases."""
        for lease in self._leases.values():
            lease.release()

    def _commit(self, camera: str, entries: list[PoseEntry]) -> None:
        people = people_of(camera)
        tracks: list[tuple[TrackFrame, Provenance]] = []
        events: list[Event] = []
        times: list[tuple[float, float]] = []
        for entry in entries:
            frame = entry.body
            if not isinstance(frame, PoseFrame):
                continue
            assert entry.provenance is not None
            cycle = self._script.tracks[people]
            lineage = {name: getattr(frame, name) for name in ("camera", "epoch", "seq", "captured_at_ns")}
            tracks.append((replace(cycle[frame.seq % len(cycle)], **lineage), entry.provenance))
            times.append((frame.captured_at_ns, int(entry.entry_id.partition(b"-")[0]) - frame.captured_at_ns / 1e6))
            if frame.seq % EVENT_EVERY == 0:
                position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
                events.append(camera_event(EventType.CAMERA_ONLINE, camera, position, {"frames": frame.seq}))
        states = self._script.states[people]
        done = [entry.entry_id for entry in entries]
        state = states[len(self.ages) % len(states)]
        self._consumer.commit(TrackCommit(camera, tracks, events, state, done), self._leases[camera])
        now_ms = time.monotonic() * 1e3 + self._broker_offset_ms
        self.ages += [(captured_ns, poses_ms, now_ms - captured_ns / 1e6) for captured_ns, poses_ms in times]
        self.counts["tracks"] += len(tracks)
        self.counts["skipped"] += len(entries) - len(tracks)
