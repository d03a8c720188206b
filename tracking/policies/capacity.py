"""How much of its demand each live camera may have, so that the workers carry all cameras at their rates. Pure.

Demand and capacity are pixels of the network's input a second, which is what inference costs at any size. Each tracker
computes the same shares from the reports of all processes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from posebus.telemetry.metric_windows import Reading, read_snapshot
from posebus.telemetry.process_report import WORKER, ProcessReport
from posebus.telemetry.reports import Reports

TARGET_LOAD = 0.85
"""Share of the capacity that is assigned: frames of live cameras do not come evenly."""
LEAST_BUSY_S = 0.5
"""A worker's speed is measured over at least this much work."""
SMOOTHING = 0.4
"""Weight of the newest measurement of a worker's speed."""


class Demand(NamedTuple):
    """What one camera asks for, in pixels of the network's input a second; `flexible`: it can do with less."""

    pixels_per_s: float
    flexible: bool


def demands(reports: Reports) -> dict[str, Demand]:
    """What all live cameras ask of the workers, as their trackers report it."""
    return {
        camera: Demand(one.demand_px_per_s, one.flexible)
        for report in reports.values()
        for camera, one in report.tracked.items()
        if one.demand_px_per_s is not None
    }


class CapacityShare(NamedTuple):
    """What one camera may have, in pixels of the network's input a second; `missing_workers`: how many more workers of
    the present mean speed would carry the demand of all cameras."""

    pixels_per_s: float
    missing_workers: int


@dataclass(slots=True)
class _WorkerSpeed:
    """The speed of one worker, and the reading since which it is measured anew."""

    since: Reading
    pixels_per_s: float | None = None


class CapacityMeter:
    """Measures the speed of all workers from their successive reports."""

    def __init__(self) -> None:
        self._speeds: dict[str, _WorkerSpeed] = {}

    def update(self, reports: Reports) -> None:
        """Take the present reports of all processes; workers without a report are forgotten."""
        known = self._speeds
        self._speeds = {}
        for name, report in reports.items():
            if report.role == WORKER and report.ready:
                self._speeds[name] = _measured(known.get(name), report)

    @property
    def workers(self) -> int:
        """How many workers are ready."""
        return len(self._speeds)

    @property
    def pixels_per_s(self) -> float | None:
        """The capacity of all workers together; None before any was measured.

        A worker that was not measured yet counts as one of the mean speed.
        """
        known = [speed.pixels_per_s for speed in self._speeds.values() if speed.pixels_per_s is not None]
        return sum(known) / len(known) * len(self._speeds) if known else None


def _measured(known: _WorkerSpeed | None, report: ProcessReport) -> _WorkerSpeed:
    now = read_snapshot(report.metrics)
    if known is None:
        return _WorkerSpeed(now, None if report.worker is None else report.worker.pixels_per_s)
    grown = now.since(known.since)
    busy_s = grown.number("posebus_engine_busy_seconds_total")
    if busy_s < LEAST_BUSY_S:
        return known
    speed = grown.number("posebus_input_pixels_total") / busy_s
    if known.pixels_per_s is not None:
        speed = SMOOTHING * speed + (1.0 - SMOOTHING) * known.pixels_per_s
    return _WorkerSpeed(now, speed)


def capacity_shares(meter: CapacityMeter, demands: Mapping[str, Demand]) -> dict[str, CapacityShare]:
    """What each flexible camera may have; empty where the workers carry everything, or where their speed is unknown.

    What is left by cameras of a fixed size is shared so that no camera gets less than another one that asks for more
    (max-min fairness).
    """
    capacity = meter.pixels_per_s
    total = sum(demand.pixels_per_s for demand in demands.values())
    if capacity is None or capacity <= 0.0 or total <= TARGET_LOAD * capacity:
        return {}
    fixed = sum(demand.pixels_per_s for demand in demands.values() if not demand.flexible)
    flexible = {camera: demand.pixels_per_s for camera, demand in demands.items() if demand.flexible}
    level = _level(TARGET_LOAD * capacity - fixed, flexible.values())
    missing = math.ceil((total / TARGET_LOAD - capacity) / (capacity / meter.workers))
    return {camera: CapacityShare(min(wanted, level), max(1, missing)) for camera, wanted in flexible.items()}


def _level(available: float, demands: Iterable[float]) -> float:
    """The level at which demands are cut so that together they take what is available."""
    left = max(0.0, available)
    ascending = sorted(demands)
    for position, demand in enumerate(ascending):
        share = left / (len(ascending) - position)
        if demand >= share:
            return share
        left -= demand
    return math.inf
