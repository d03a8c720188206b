"""The tracker's step: own cameras by lease, restore order, track, and commit everything of a step in one transaction.

The process memory is only ever a copy: the broker has the state and the unacknowledged entries. So after any doubt (a
commit whose answer was lost, a lease that ran out) the copy is dropped and read again.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter, deque

import numpy as np

from posebus.bus.lease import Lease, free, renew_all
from posebus.bus.pose_consumer import PoseConsumer, PoseEntry, TrackCommit
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import PROCESS_SILENT_S, CameraRecord, Registry
from posebus.config.settings import TrackerSettings
from posebus.contract.evidence import with_evidence
from posebus.contract.foreign_json import WRONG_DATA
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.errors import LeaseLost, MalformedMessage, RetryableError
from posebus.logs.about import about
from posebus.messages import Delivery
from posebus.runtime.stage import HEARTBEAT_S
from posebus.telemetry.metrics import Metrics, age_s
from posebus.telemetry.process_report import TRACKER, ProcessReport, TrackingReport
from posebus.telemetry.reports import process_reports
from tracking.camera_tracking import CameraStep, CameraTracking
from tracking.policies.capacity import CapacityMeter, capacity_shares, demands
from tracking.rules.switched_off import RulesOff

READ_COUNT = 64
BLOCK_MS = 50
CAMERAS_REFRESH_S = 0.25
LOSSLESS_PAUSE_S = 0.1
"""Tracks of a recording are not urgent, and a few frames in one transaction cost little more than one."""
OWNERLESS_S = 0.4
ADOPTED_FOR_S = 2 * PROCESS_SILENT_S
"""How long a tracker keeps more than its share after it adopted cameras of a dead one, which counts as alive until
its report expires."""
STRAYS_S = 2.0
AGES_KEPT = 200

log = logging.getLogger("posebus.tracker")


class TrackStage:
    """One tracker process; owns its fair share of the cameras."""

    role = TRACKER

    def __init__(self, broker: Broker, reader: PoseConsumer, owner: str, settings: TrackerSettings) -> None:
        self._broker = broker
        self._registry = Registry(broker)
        self._reader = reader
        self._owner = owner
        self._settings = settings
        self._leases: dict[str, Lease] = {}
        self._tracking: dict[str, CameraTracking] = {}
        self._records: dict[str, CameraRecord] = {}
        self._next_leases_at_s = -1e9
        self._next_strays_at_s = 0.0
        self._ownerless_since_s: dict[str, float] = {}
        self._adopted_at_s = -1e9
        self._trackers = 1
        self._trackers_seen_at_s = -1e9
        self._capacity = CapacityMeter()
        self._may_pause = True
        self._counts: dict[str, Counter[str]] = {}
        self._skipped: dict[str, Counter[str]] = {}
        self._ages_ms: dict[str, deque[float]] = {}
        self._metrics = Metrics()
        self._rules_off = RulesOff()

    def step(self, now_s: float) -> bool:
        """Keep the leases, read new entries of the cameras owned, commit what is ready."""
        if now_s >= self._next_leases_at_s:
            self._keep_leases(now_s)
            self._next_leases_at_s = now_s + min(CAMERAS_REFRESH_S, self._settings.lease_s / 4)
        for camera in self._leases.keys() - self._tracking.keys():
            self._open(camera, now_s)
        if not self._tracking:
            time.sleep(BLOCK_MS / 1000)
            return True
        if self._may_pause and all(map(self._is_patient, self._tracking)):
            time.sleep(LOSSLESS_PAUSE_S)
        entries = self._reader.read(self._tracking, READ_COUNT, BLOCK_MS)
        self._may_pause = len(entries) < READ_COUNT
        for entry in entries:
            self._push(entry, now_s)
        if now_s >= self._next_strays_at_s:
            self._collect_strays(now_s)
        for camera in list(self._tracking):
            self._advance(camera, now_s)
        return True

    def use(self, settings: TrackerSettings) -> None:
        """Go on by other settings: each camera is read again from its last commit, so identities stay the same."""
        self._settings = settings
        self._tracking.clear()
        for lease in self._leases.values():
            lease.ttl_ms = int(settings.lease_s * 1000)

    def _is_patient(self, camera: str) -> bool:
        """Whether this camera's tracks may be late: it is not live, and its ingest does not wait for a plan."""
        record = self._records[camera]
        return record.delivery is Delivery.LOSSLESS and not record.policies.any

    def report(self) -> ProcessReport:
        tracked = {camera: self._camera_report(camera) for camera in self._counts if camera in self._tracking}
        return ProcessReport(TRACKER, metrics=self._metrics.snapshot(), tracked=tracked)

    def _camera_report(self, camera: str) -> TrackingReport:
        counts, skipped, ages_ms = self._counts[camera], self._skipped[camera], self._ages_ms[camera]
        tracking = self._tracking[camera]
        directive, demand = tracking.directive, tracking.demand
        view = None if directive is None else directive.view
        return TrackingReport(
            frames=counts["frames"],
            people=counts.get("people"),
            skipped=skipped.total(),
            skipped_by_reason=dict(skipped),
            age_ms=round(float(np.median(ages_ms)), 1) if ages_ms else None,
            view=None if view is None else str(view),
            interval_s=None if directive is None else directive.interval_s,
            advice=tracking.advice,
            demand_px_per_s=None if demand is None else round(demand.pixels_per_s, 1),
            flexible=demand is not None and demand.flexible,
        )

    def drain(self) -> None:
        """Release the cameras at once; each step has committed everything that was ready."""
        for lease in self._leases.values():
            lease.release()

    def close(self) -> None:
        self._leases.clear()
        self._tracking.clear()

    def _keep_leases(self, now_s: float) -> None:
        """Renew leases, release cameras that are gone or exceed our share, acquire free ones."""
        self._records = {record.camera: record for record in self._registry.cameras()}
        if now_s - self._trackers_seen_at_s >= HEARTBEAT_S:
            reports = process_reports(self._registry)
            self._trackers = max(1, sum(1 for report in reports.values() if report.role == self.role))
            self._trackers_seen_at_s = now_s
            self._capacity.update(reports)
            shares = capacity_shares(self._capacity, demands(reports))
            for camera, tracking in self._tracking.items():
                tracking.limit_view(shares.get(camera))
        share = math.ceil(len(self._records) / self._trackers)
        sheds = now_s - self._adopted_at_s > ADOPTED_FOR_S
        for camera, lease in list(self._leases.items()):
            if camera not in self._records or (sheds and len(self._leases) > share):
                lease.release()
                self._forget(camera)
        for lost in renew_all(self._broker, list(self._leases.values())):
            log.warning(
                "camera %s: the lease ran out; another tracker may continue it", lost.camera, extra=about(lost.camera)
            )
            self._forget(lost.camera)
        self._take(share, now_s)

    def _take(self, share: int, now_s: float) -> None:
        """Acquire free cameras: up to our share at once, the rest after any tracker with room would have taken them.

        A tracker that died is counted for some seconds more, and until then the shares of all are too small.
        """
        others = [
            Lease(self._broker, camera, self.role, self._owner, self._settings.lease_s)
            for camera in self._records
            if camera not in self._leases
        ]
        ownerless = free(self._broker, others)
        before = self._ownerless_since_s
        self._ownerless_since_s = since_s = {lease.camera: before.get(lease.camera, now_s) for lease in ownerless}
        for lease in ownerless:
            adopts = len(self._leases) >= share
            if adopts and now_s - since_s[lease.camera] < OWNERLESS_S:
                continue
            if lease.acquire():
                self._leases[lease.camera] = lease
                self._adopted_at_s = now_s if adopts else self._adopted_at_s

    def _forget(self, camera: str) -> None:
        self._leases.pop(camera, None)
        self._tracking.pop(camera, None)

    def _open(self, camera: str, now_s: float) -> None:
        """Continue from the last commit for `camera`, by this process or another."""
        tracking = self._fresh(camera)
        snapshot = self._reader.state(camera)
        if snapshot is not None:
            try:
                tracking.load_state(unpack_state(snapshot))
            except (MalformedMessage, *WRONG_DATA) as error:
                text = "camera %s: its snapshot cannot be used (%s); identities start again"
                log.warning(text, camera, error, extra=about(camera))
                tracking = self._fresh(camera)
        self._tracking[camera] = tracking
        self._counts.setdefault(camera, Counter())
        self._skipped.setdefault(camera, Counter())
        self._ages_ms.setdefault(camera, deque(maxlen=AGES_KEPT))
        for entry in self._reader.take_over(camera, 0):
            self._push(entry, now_s)

    def _fresh(self, camera: str) -> CameraTracking:
        record = self._records[camera]
        fresh = CameraTracking(camera, record.delivery, self._settings, record.policies, record.region, record.rules)
        fresh.actions.set(record.actions)
        return fresh

    def _collect_strays(self, now_s: float) -> None:
        """Reclaim entries that a tracker without its lease read before it noticed."""
        self._next_strays_at_s = now_s + STRAYS_S
        for camera in self._tracking:
            for entry in self._reader.take_over(camera, int(2000 * self._settings.lease_s)):
                self._push(entry, now_s)

    def _push(self, entry: PoseEntry, now_s: float) -> None:
        if entry.body is None:
            text = "camera %s: an entry of poses is skipped: %s"
            log.warning(text, entry.camera, entry.defect, extra=about(entry.camera))
        self._tracking[entry.camera].push(entry, now_s)

    def _advance(self, camera: str, now_s: float) -> None:
        tracking, record = self._tracking[camera], self._records[camera]
        tracking.set_policies(record.policies)
        tracking.region = record.region
        tracking.set_rules(record.rules)
        tracking.actions.set(record.actions)
        tracking.floor.use(record.ground)
        began_s = time.perf_counter()
        step = tracking.advance(now_s)
        tracked_s = time.perf_counter()
        if not step.changes_anything:
            return
        state = pack_state(tracking.state_dict())
        commit = TrackCommit(
            camera=camera,
            tracks=step.tracks,
            events=with_evidence(step.events) if record.evidence else step.events,
            state=state,
            done=step.done,
            detected_at_ns=time.time_ns(),
            plan=step.plan,
            decisions=step.decisions,
        )
        try:
            self._reader.commit(commit, self._leases[camera])
        except LeaseLost as error:
            log.warning("%s", error, extra=about(camera))
            self._forget(camera)
            return
        except RetryableError:
            # Only the broker knows whether it was committed: read state and entries again.
            self._tracking.pop(camera)
            raise
        for problem in self._rules_off.update(camera, tracking.rule_problems):
            log.warning("camera %s: %s", camera, problem, extra=about(camera))
        self._measure(step, tracked_s - began_s, time.perf_counter() - tracked_s)
        self._count(camera, step)

    def _measure(self, step: CameraStep, track_s: float, commit_s: float) -> None:
        """Record durations: `track_s` of all frames of the step together, `commit_s` of its one transaction."""
        metrics = self._metrics
        metrics.observe("posebus_stage_seconds", commit_s, stage="commit")
        for _ in step.tracks:
            metrics.observe("posebus_stage_seconds", track_s / len(step.tracks), stage="track")
        metrics.count("posebus_frames_total", len(step.tracks))
        # Ingest and workers count the frames that they skip themselves.
        for reason, number in step.given_up.items():
            metrics.count("posebus_frames_skipped_total", number, reason=reason)

    def _count(self, camera: str, step: CameraStep) -> None:
        counts = self._counts[camera]
        counts["frames"] += len(step.tracks)
        self._skipped[camera] += step.skipped
        if step.tracks:
            counts["people"] = sum(track.state == "confirmed" for track in step.tracks[-1][0].tracks)
        now_ns = time.time_ns()
        for frame, source in step.tracks:
            age = age_s(frame.captured_at_ns, source.frame_published_at_ns, source.clock, now_ns)
            self._metrics.observe("posebus_age_at_publish_seconds", age, stage="tracks")
            self._ages_ms[camera].append(age * 1000)
