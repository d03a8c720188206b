"""The tracker's step: own cameras by lease, restore order, link, and commit everything of a step in one transaction.

What a process holds in memory is only ever a copy: state, and what was not acknowledged, stand in the broker. So after
any doubt (a commit whose answer was lost, a lease that ran out) the copy is thrown away and read again.
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
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.errors import LeaseLost, MalformedMessage, RetryableError
from posebus.messages import Delivery
from posebus.runtime.stage import HEARTBEAT_S
from posebus.telemetry.metrics import Metrics, age_s
from posebus.telemetry.process_report import TRACKER, ProcessReport, TrackingReport
from posebus.telemetry.reports import process_reports
from tracking.camera_tracking import CameraTracking, Outcome

READ_COUNT = 64
BLOCK_MS = 50
CAMERAS_REFRESH_S = 0.25
LOSSLESS_PAUSE_S = 0.1
"""Nobody waits for the tracks of a recording: a few frames in one transaction cost little more than one."""
OWNERLESS_S = 0.4
ADOPTED_FOR_S = 2 * PROCESS_SILENT_S
"""How long a tracker keeps more than its share after it took what a dead one left: by then that is not counted."""
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
        self._may_pause = True
        self._counts: dict[str, Counter[str]] = {}
        self._skipped: dict[str, Counter[str]] = {}
        self._ages_ms: dict[str, deque[float]] = {}
        self._metrics = Metrics()

    def step(self, now_s: float) -> bool:
        """Keep the leases, read what came for the cameras owned, commit what is ready."""
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

    def _is_patient(self, camera: str) -> bool:
        """Whether nobody waits for what becomes of this camera's frames: neither a live one, nor ingest for a plan."""
        record = self._records[camera]
        return record.delivery is Delivery.LOSSLESS and not record.policies.any

    def report(self) -> ProcessReport:
        tracked = {camera: self._camera_report(camera) for camera in self._counts if camera in self._tracking}
        return ProcessReport(TRACKER, metrics=self._metrics.snapshot(), tracked=tracked)

    def _camera_report(self, camera: str) -> TrackingReport:
        counts, skipped, ages_ms = self._counts[camera], self._skipped[camera], self._ages_ms[camera]
        directive = self._tracking[camera].directive
        view = None if directive is None else directive.view
        return TrackingReport(
            frames=counts["frames"],
            people=counts.get("people"),
            skipped=skipped.total(),
            skipped_by_reason=dict(skipped),
            age_ms=round(float(np.median(ages_ms)), 1) if ages_ms else None,
            view=None if view is None else str(view),
            interval_s=None if directive is None else directive.interval_s,
        )

    def drain(self) -> None:
        """Everything ready is committed by each step already; hand the cameras over at once."""
        for lease in self._leases.values():
            lease.release()

    def close(self) -> None:
        self._leases.clear()
        self._tracking.clear()

    def _keep_leases(self, now_s: float) -> None:
        """Renew, let go of what is gone or over our share, take what nobody owns."""
        self._records = {record.camera: record for record in self._registry.cameras()}
        if now_s - self._trackers_seen_at_s >= HEARTBEAT_S:
            reports = process_reports(self._registry).values()
            self._trackers = max(1, sum(1 for report in reports if report.role == self.role))
            self._trackers_seen_at_s = now_s
        share = math.ceil(len(self._records) / self._trackers)
        sheds = now_s - self._adopted_at_s > ADOPTED_FOR_S
        for camera, lease in list(self._leases.items()):
            if camera not in self._records or (sheds and len(self._leases) > share):
                lease.release()
                self._forget(camera)
        for lost in renew_all(self._broker, list(self._leases.values())):
            log.warning("camera %s: the lease ran out; another tracker may go on with it", lost.camera)
            self._forget(lost.camera)
        self._take(share, now_s)

    def _take(self, share: int, now_s: float) -> None:
        """Take what nobody owns: at once up to our share, the rest after any tracker with room would have had it.

        A tracker that died is counted for some seconds more, and for so long the shares of all are too small.
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
        """Go on where the last commit for `camera` stopped, whoever made it."""
        tracking = self._fresh(camera)
        snapshot = self._reader.state(camera)
        if snapshot is not None:
            try:
                tracking.load_state(unpack_state(snapshot))
            except (MalformedMessage, KeyError, TypeError, ValueError) as error:
                log.warning("camera %s: its snapshot cannot be used (%s); identities begin anew", camera, error)
                tracking = self._fresh(camera)
        self._tracking[camera] = tracking
        self._counts.setdefault(camera, Counter())
        self._skipped.setdefault(camera, Counter())
        self._ages_ms.setdefault(camera, deque(maxlen=AGES_KEPT))
        for entry in self._reader.take_over(camera, 0):
            self._push(entry, now_s)

    def _fresh(self, camera: str) -> CameraTracking:
        record = self._records[camera]
        return CameraTracking(camera, record.delivery, self._settings, record.policies)

    def _collect_strays(self, now_s: float) -> None:
        """A rival that slept through its lease may have read entries before it noticed: take them from it."""
        self._next_strays_at_s = now_s + STRAYS_S
        for camera in self._tracking:
            for entry in self._reader.take_over(camera, int(2000 * self._settings.lease_s)):
                self._push(entry, now_s)

    def _push(self, entry: PoseEntry, now_s: float) -> None:
        if entry.body is None:
            log.warning("camera %s: an entry of poses is left out: %s", entry.camera, entry.defect)
        self._tracking[entry.camera].push(entry, now_s)

    def _advance(self, camera: str, now_s: float) -> None:
        tracking = self._tracking[camera]
        tracking.follow(self._records[camera].policies)
        began_s = time.perf_counter()
        outcome = tracking.advance(now_s)
        tracked_s = time.perf_counter()
        if not outcome.changes_anything:
            return
        state = pack_state(tracking.state_dict())
        commit = TrackCommit(
            *(camera, outcome.tracks, outcome.events, state, outcome.done, outcome.plan, outcome.decisions)
        )
        try:
            self._reader.commit(commit, self._leases[camera])
        except LeaseLost as error:
            log.warning("%s", error)
            self._forget(camera)
            return
        except RetryableError:
            # Nobody knows whether it was committed; the broker does. Read state and entries again.
            self._tracking.pop(camera)
            raise
        self._measure(outcome, tracked_s - began_s, time.perf_counter() - tracked_s)
        self._count(camera, outcome)

    def _measure(self, outcome: Outcome, track_s: float, commit_s: float) -> None:
        """`track_s` of all frames of the outcome together, `commit_s` of the one transaction with them."""
        metrics = self._metrics
        metrics.observe("posebus_stage_seconds", commit_s, stage="commit")
        for _ in outcome.tracks:
            metrics.observe("posebus_stage_seconds", track_s / len(outcome.tracks), stage="track")
        metrics.count("posebus_frames_total", len(outcome.tracks))
        # What ingest or a worker skipped they have counted themselves.
        for reason, number in outcome.given_up.items():
            metrics.count("posebus_frames_skipped_total", number, reason=reason)

    def _count(self, camera: str, outcome: Outcome) -> None:
        counts = self._counts[camera]
        counts["frames"] += len(outcome.tracks)
        self._skipped[camera] += outcome.skipped
        if outcome.tracks:
            counts["people"] = sum(track.state == "confirmed" for track in outcome.tracks[-1][0].tracks)
        now_ns = time.time_ns()
        for frame, source in outcome.tracks:
            age = age_s(frame.captured_at_ns, source.frame_published_at_ns, source.clock, now_ns)
            self._metrics.observe("posebus_age_at_publish_seconds", age, stage="tracks")
            self._ages_ms[camera].append(age * 1000)
