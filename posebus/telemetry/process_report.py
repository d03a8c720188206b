"""What a process reports about itself once a second: one typed report, written by every stage and read by every tool.

`posebus.telemetry.report_json` writes and reads it as the JSON object that stands in the hash `processes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from posebus.telemetry.camera_state import NO_INGEST
from posebus.wording import counted

VERSION = 1
"""Of the JSON object. Reports of before it was counted have none and read as 0."""
WORKER, TRACKER, INGEST, SINK = "worker", "tracker", "ingest", "sink"
EVIDENCE, WALL = "evidence", "wall"


@dataclass(frozen=True, slots=True)
class Enhancement:
    """What a worker did to a camera's images, and the capture time (ns) of the image that it concerns (0: unknown)."""

    captured_at_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """How a worker is set up, and what it has counted since it started.

    imgsz: pixels, or "auto". skipped: frames by reason. enhance: by camera. pixels_per_s: pixels of the network's input
    that the engine computed in a second before the first frame; None if that was not measured.
    """

    engine: str | None = None
    precision: str | None = None
    device: str | None = None
    imgsz: int | str | None = None
    largest_imgsz: int | None = None
    frames: int = 0
    dead: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    enhance: Mapping[str, Enhancement] = field(default_factory=dict)
    pixels_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class GateReport:
    """The motion gate of a camera. `log`: (capture time in ns, text) of its last changes, oldest first.

    inferred, still, rate: frames that were sent to inference, and that were left out for each of these reasons.
    """

    policy: str = "off"
    open: bool | None = None
    inferred: int = 0
    still: int = 0
    rate: int = 0
    log: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MotionReport:
    """How a camera moves: the middle of its picture, in pixels of the source a second over the last second, and how
    many shots its epoch has had."""

    px_per_s: float
    shots: int


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """One camera, reported by its ingest process. It holds no address, which may hold a password.

    frames: published in this epoch. fps: frames a second that are published; sent_fps and nominal_fps: those that the
    open source sends, and those that it says it sends, up to max_fps. dropped: frames by reason, since the process
    started. backlog_*: what waits in the broker for a worker; backlog_s: how long its oldest frame has waited. A field
    is None where it was not reported.
    """

    state: str = NO_INGEST
    trouble: str | None = None
    frames: int | None = None
    fps: float | None = None
    sent_fps: float | None = None
    nominal_fps: float | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    backlog_s: float | None = None
    backlog_frames: int | None = None
    backlog_bytes: int | None = None
    backlog_limit_bytes: int | None = None
    gate: GateReport | None = None
    motion: MotionReport | None = None


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """One camera, reported by its tracker, with counts since the tracker started.

    age_ms: median of the last frames, from capture to tracks. people: confirmed tracks in the newest frame. view and
    interval_s: what its plan decided about inference, None without a plan. advice: how to follow people better or
    detect more of them. demand_px_per_s: pixels of the network's input that a live camera asks for, a second; flexible:
    whether it can do with less. A field is None where it was not reported.
    """

    frames: int | None = None
    people: int | None = None
    skipped: int = 0
    skipped_by_reason: Mapping[str, int] = field(default_factory=dict)
    age_ms: float | None = None
    view: str | None = None
    interval_s: float | None = None
    advice: str | None = None
    demand_px_per_s: float | None = None
    flexible: bool = False


@dataclass(frozen=True, slots=True)
class SinkReport:
    """What a sink has done since its process started. waiting: events, and other messages, that it has not handled.

    undelivered: events that were given up and kept; lost: events that left the stream before they could be sent.
    trouble: why it fails at present, one sentence.
    """

    name: str
    delivered: int = 0
    undelivered: int = 0
    lost: int = 0
    waiting: int = 0
    trouble: str | None = None

    def in_words(self) -> str:
        """One line for `posebus top`."""
        parts = [f"{counted(self.delivered, 'message')}"]
        parts += [f"{self.waiting} waiting"] if self.waiting else []
        parts += [f"{self.undelivered} undelivered"] if self.undelivered else []
        parts += [f"{self.lost} lost"] if self.lost else []
        return ", ".join(parts) + ("" if self.trouble is None else f"; fails at present: {self.trouble}")


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """The report of one process of `role` (WORKER, TRACKER, INGEST, SINK, EVIDENCE or WALL).

    ready: whether it can work. metrics: `Metrics.snapshot()`. worker: of a worker alone. captures and tracked: by
    camera, of an ingest process and of a tracker. sink: of a sink. does: of a sink, the evidence process or the wall,
    in words. The registry adds host, pid, and at_ns, the time by the broker.
    """

    role: str
    ready: bool = True
    metrics: Mapping[str, Any] = field(default_factory=dict)
    worker: WorkerReport | None = None
    captures: Mapping[str, CaptureReport] = field(default_factory=dict)
    tracked: Mapping[str, TrackingReport] = field(default_factory=dict)
    does: str | None = None
    sink: SinkReport | None = None
    host: str = "?"
    pid: int = 0
    at_ns: int = 0
    version: int = VERSION
