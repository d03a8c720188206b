"""Whether a broker has workers and trackers, and how they are set up, read from the registry of any fleet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import BrokerUnavailable, ConfigError, FatalError
from posebus.runtime.fleet import Fleet
from posebus.runtime.shared_frames import BYTES_PER_PIXEL
from posebus.telemetry.process_report import WorkerReport
from posebus.telemetry.reports import largest_imgsz, process_reports, worker_reports
from recordings.progress import Progress

CHECK_EVERY_S = 1.0
FLEET_PATIENCE_S = 30.0
POLL_S = 0.1
MAX_RESTARTS = 5
NEEDED = {"worker": "posebus work", "tracker": "posebus track"}
"""The roles that every result needs, and the commands that start them."""

FRAMES_WANTED = {"cpu": 48, "cuda": 192}
"""Frames that should wait in the broker for each worker, by the kind of its device: those in flight, those not
committed yet, and as many again, so that a worker never waits for the next one."""
JPEG_BYTES_PER_PIXEL = 0.25
"""Size of camera pictures at the JPEG quality of ingest: 0.15 to 0.3 on the clips that this was measured on."""


@dataclass(frozen=True, slots=True)
class Workers:
    """How the workers report to be set up: None before the first report, "a, b" where they differ."""

    engine: str | None = None
    precision: str | None = None
    imgsz: int | str | None = None
    largest_imgsz: int | None = None
    frames_wanted: int = FRAMES_WANTED["cpu"]

    def backlog_bytes(self, size_px: tuple[int, int], *, shared: bool = False) -> int:
        """Bytes of a recording that should wait, sent as pictures of this (width, height): as JPEGs, or `shared`.

        It is enough that no worker waits, and not more, because every waiting frame adds to the latency of the next.
        """
        bytes_per_pixel = BYTES_PER_PIXEL if shared else JPEG_BYTES_PER_PIXEL
        return max(1, round(size_px[0] * size_px[1] * bytes_per_pixel * self.frames_wanted))


def workers(registry: Registry) -> Workers:
    """Read how the workers of a broker are set up. Raises BrokerUnavailable."""
    reports = [report for report in worker_reports(process_reports(registry)) if report.ready]
    found = [report.worker for report in reports if report.worker is not None]
    return Workers(
        engine=_agreed(worker.engine for worker in found),
        precision=_agreed(worker.precision for worker in found),
        imgsz=_agreed(worker.imgsz for worker in found),
        largest_imgsz=largest_imgsz(reports),
        frames_wanted=max(sum(map(_frames_wanted, found)), FRAMES_WANTED["cpu"]),
    )


def need_workers(settings: Settings) -> None:
    """Raise ConfigError for a run that starts no workers, and has no broker at which others work."""
    if settings.fleet.workers == 0 and settings.redis == EMBEDDED:
        raise ConfigError(
            "a run with --workers 0 needs the workers of a running deployment: give its broker with --redis URL"
        )


class FleetWatch:
    """Detects that a fleet of other processes has no workers or no trackers. Call it regularly, or use `wait`."""

    def __init__(self, registry: Registry, where: str, patience_s: float) -> None:
        """`where` names the broker in messages, without credentials."""
        self._registry = registry
        self._where = where
        self._patience_s = patience_s
        self._check_at_s = 0.0
        self._missing_since_s: float | None = None

    def __call__(self, now_s: float) -> None:
        """Raise FatalError if workers or trackers have been missing for longer than `patience_s`."""
        if now_s < self._check_at_s:
            return
        self._check_at_s = now_s + CHECK_EVERY_S
        missing = self._missing()
        if not missing:
            self._missing_since_s = None
            return
        if self._missing_since_s is None:
            self._missing_since_s = now_s
        if now_s - self._missing_since_s >= self._patience_s:
            commands = " and ".join(f"`{NEEDED[role]} --redis URL`" for role in missing)
            raise FatalError(
                f"no {' and no '.join(missing)} at {self._where} answered for {self._patience_s:g} s; "
                f"start one with {commands}"
            )

    def wait(self) -> None:
        """Wait until workers and trackers report. Raises FatalError after `patience_s`."""
        while self._missing():
            self(time.monotonic())
            time.sleep(POLL_S)

    def _missing(self) -> list[str]:
        try:
            reports = process_reports(self._registry).values()
        except BrokerUnavailable:
            return []  # wait out the outage: without the broker, nothing is known about the fleet
        return [role for role in NEEDED if not any(report.role == role and report.ready for report in reports)]


def watch_own(fleet: Fleet) -> Callable[[float], None]:
    """Return a watch over our own processes: it restarts crashed ones, and raises FatalError if one keeps crashing."""

    def watch(now_s: float) -> None:
        fleet.check()
        for name, child in fleet.processes.children.items():
            if child.restarts >= MAX_RESTARTS:
                raise FatalError(f"the process {name} crashed {child.restarts} times in a row; see above why")

    return watch


def wait_for_fleet(fleet: Fleet, settings: Settings, broker: Broker, progress: Progress) -> Callable[[float], None]:
    """Wait until workers and trackers are ready, our own or those of the broker; returns the watch over them."""
    if settings.fleet.workers:
        watch = watch_own(fleet)
        progress.status("loading the network (the first time it is exported, which takes longer)")
        fleet.start_trackers()
        fleet.start_workers()
        fleet.wait_until_ready(lambda ready, wanted: watch(time.monotonic()))
        return watch
    progress.status(f"waiting for workers and trackers at {broker.where}")
    others = FleetWatch(Registry(broker), broker.where, FLEET_PATIENCE_S)
    others.wait()
    return others


def _frames_wanted(worker: WorkerReport) -> int:
    kind = (worker.device or "").partition(":")[0]
    return FRAMES_WANTED.get(kind, FRAMES_WANTED["cpu"])


def _agreed(values: Any) -> Any:
    found = sorted({value for value in values if value is not None}, key=str)
    if len(found) <= 1:
        return found[0] if found else None
    return ", ".join(str(value) for value in found)
