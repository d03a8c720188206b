"""The arithmetic of `benchmarks.broker`, without a broker: percentiles, verdicts, the knee, the load of polling.

Loads are shares of one processor core: the broker executes commands in one thread, so 1.0 is its limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

CORE_SHARE = 0.7
"""The share of the command thread that plans use; waiting times grow without bound towards 1."""
MAX_AGE_P99_MS = 500.0
"""The default of `worker.max_age_ms`, beyond which workers skip frames."""
MAX_SKIPPED_SHARE = 0.001
MIN_PUBLISHED_SHARE = 0.98
BACKLOG_GROWTH_S = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """The measurements of one step in a window of `seconds`; `*_total` count the whole step with its warm-up and end.

    published, poses, tracks, skipped: frames in the window. broker_cpu_s: of the command threads of all `servers`;
    process_cpu_s: of their whole processes; both include the kernel's work for their sockets. generators_cpu_s: of the
    simulated processes, by role. in_bytes, out_bytes: as the broker counts them. commands: (calls, microseconds of
    execution) in the window, by name. poses_age_ms, tracks_age_ms: (p50, p99) of the time since the picture was due, by
    the broker's clock.
    """

    server: str
    servers: int
    shards: int
    cameras: int
    fps: float
    seconds: float
    published: int
    poses: int
    tracks: int
    skipped: int
    published_total: int
    tracks_total: int
    skipped_total: int
    jpeg_bytes: float
    backlog_begin: int
    backlog_end: int
    poses_age_ms: tuple[float, float]
    tracks_age_ms: tuple[float, float]
    broker_cpu_s: float
    process_cpu_s: float
    in_bytes: int
    out_bytes: int
    memory_bytes: int
    generators_cpu_s: dict[str, float] = field(default_factory=dict)
    commands: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def offered_fps(self) -> float:
        """Frames a second that all cameras together are to publish."""
        return self.cameras * self.fps

    @property
    def lost(self) -> int:
        """Frames of the whole step that were neither tracked nor reported as skipped."""
        return self.published_total - self.tracks_total - self.skipped_total

    @property
    def cpu_us_per_frame(self) -> float:
        """Microseconds of the broker's command threads for a frame on its whole way."""
        return self.broker_cpu_s * 1e6 / max(1, self.tracks)

    @property
    def core_load(self) -> float:
        """The mean load of each server's command thread."""
        return self.broker_cpu_s / self.seconds / self.servers

    def faults(self) -> list[str]:
        """The reasons why this rate is too high; empty if it was carried."""
        found = []
        if self.published < MIN_PUBLISHED_SHARE * self.offered_fps * self.seconds:
            found.append("writers fell behind")
        if self.tracks_age_ms[1] > MAX_AGE_P99_MS or math.isnan(self.tracks_age_ms[1]):
            found.append(f"p99 age over {MAX_AGE_P99_MS:.0f} ms")
        if self.backlog_end - self.backlog_begin > max(5.0, BACKLOG_GROWTH_S * self.offered_fps):
            found.append("backlog grew")
        if self.skipped > MAX_SKIPPED_SHARE * self.published:
            found.append("frames were skipped")
        if self.lost:
            found.append(f"{self.lost} frames lost")
        return found

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Step:
        """The inverse of `to_json`; raises TypeError for an object with other fields."""
        pairs = {name: tuple(data[name]) for name in ("poses_age_ms", "tracks_age_ms")}
        commands = {name: (int(calls), int(usec)) for name, (calls, usec) in data["commands"].items()}
        return cls(**{**data, **pairs, "commands": commands})


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` (0..1) of them do not exceed (nearest rank); NaN without
    values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def core_fps(cpu_us_per_frame: float, share: float = CORE_SHARE) -> float:
    """Frames a second at which frames alone take `share` of one core."""
    return share * 1e6 / cpu_us_per_frame


def find_knee(good: Callable[[float], bool], start: float, factor: float = 1.5, resolution: float = 1.15) -> float:
    """The highest rate tried for which `good` is true, 0 if there is none; `start` is tried first.

    Rates grow by `factor` while they are good; the last interval is then halved (geometrically) until its ends differ
    by `resolution` at most. Where `start` is not good, rates fall by `factor` first, at most six times.
    """
    low, high = 0.0, math.inf
    rate = start
    for _ in range(6):
        if good(rate):
            low = rate
            break
        high = rate
        rate /= factor
    if not low:
        return 0.0
    while math.isinf(high):
        rate *= factor
        if good(rate):
            low = rate
        else:
            high = rate
    while high / low > resolution:
        rate = math.sqrt(low * high)
        if good(rate):
            low = rate
        else:
            high = rate
    return low


@dataclass(frozen=True, slots=True)
class PollCosts:
    """Microseconds of the broker for commands that do not depend on the number of frames.

    Pairs are (fixed part, part for each item). cameras: `Registry.cameras`, for each camera. processes:
    `Registry.processes`, for each process. empty_read: an XREADGROUP that finds nothing, for each stream. look:
    reclaiming the frames of dead workers, for each camera. renew_all: for each lease. The others have no second part.
    reclaim: a tracker's search for one camera's pending entries of earlier trackers. heartbeat: one report. frame: for
    comparison, a frame on its whole way, with many frames together and no polling.
    """

    cameras: tuple[float, float]
    processes: tuple[float, float]
    empty_read: tuple[float, float]
    look: tuple[float, float]
    reclaim: float
    renew_all: tuple[float, float]
    heartbeat: float
    frame: float

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> PollCosts:
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
        return cls(**values)


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(intercept, slope) of the straight line through the first and the last point; neither is below 0."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    slope = max(0.0, (y1 - y0) / (x1 - x0))
    return max(0.0, y0 - slope * x0), slope


REGISTRY_HZ = 4.0
RECLAIM_HZ = 5.0
RENEW_HZ = 4.0
EARLIER_PENDING_HZ = 0.5
HEARTBEAT_HZ = 1.0
"""Rates of polling with default settings, as in workers/, tracking/track_stage.py and posebus/runtime/stage.py.

Each worker and tracker polls the registry; one worker at a time at most reclaims frames of dead workers; leases and
pending entries of earlier trackers are polled for each camera, heartbeats sent by each process.
"""


def poll_load(costs: PollCosts, cameras: int, workers: int, trackers: int) -> dict[str, float]:
    """Shares of the broker's core that polling takes, by its kind, with one ingest process for each camera."""
    processes = cameras + workers + trackers
    rates_us = {
        "registry": REGISTRY_HZ * (workers + trackers) * (costs.cameras[0] + costs.cameras[1] * cameras),
        "processes": REGISTRY_HZ * trackers * (costs.processes[0] + costs.processes[1] * processes),
        "reclaim": RECLAIM_HZ * (costs.look[0] + costs.look[1] * cameras)
        + EARLIER_PENDING_HZ * cameras * costs.reclaim,
        "leases": RENEW_HZ * (trackers * costs.renew_all[0] + cameras * costs.renew_all[1]),
        "heartbeats": HEARTBEAT_HZ * processes * costs.heartbeat,
    }
    return {name: value_us / 1e6 for name, value_us in rates_us.items()}
