"""A deployment as `posebus top` shows it: process reports, grouped by camera and turned into rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.messages import Delivery
from posebus.telemetry.bottlenecks import CameraLoad, WorkerLoad, bottlenecks
from posebus.telemetry.broker_memory import BrokerMemory, MemorySampler
from posebus.telemetry.camera_state import NO_INGEST, SWITCHED_OFF
from posebus.telemetry.process_report import (
    INGEST,
    TRACKER,
    WORKER,
    ProcessReport,
    SinkReport,
    TrackingReport,
    WorkerReport,
)
from posebus.telemetry.reports import Reports, capture_of, losses, process_reports, tracking_of
from posebus.telemetry.stage_times import Window, Work, WorkRow, window, work, work_rows
from posebus.wording import counted


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """Cameras, reports of all living processes and the broker's memory at one moment."""

    cameras: list[CameraRecord]
    processes: Reports
    memory: BrokerMemory = field(default_factory=BrokerMemory)
    problems: list[str] = field(default_factory=list)
    """A sentence for each entry of the registry that could not be read."""


@dataclass(frozen=True, slots=True)
class CameraRow:
    """One camera. A field is None where it was not reported. `dropped` counts since the camera's processes started."""

    name: str
    source: str
    delivery: str
    state: str = NO_INGEST
    trouble: str | None = None
    fps_in: float | None = None
    fps_out: float | None = None
    age_ms: float | None = None
    people: int | None = None
    backlog_frames: int | None = None
    backlog_bytes: int | None = None
    backlog_limit_bytes: int | None = None
    poses_bytes: int | None = None
    tracks_bytes: int | None = None
    dropped: int = 0
    infer: str | None = None


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process. `fps`: frames that a worker finished a second, None for other roles."""

    id: str
    role: str
    host: str
    pid: int
    fps: float | None
    does: str
    work: Work = field(default_factory=Work)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that `top` shows."""

    cameras: list[CameraRow] = field(default_factory=list)
    processes: list[ProcessRow] = field(default_factory=list)
    work: list[WorkRow] = field(default_factory=list)
    broker_used_bytes: int | None = None
    broker_limit_bytes: int | None = None
    bottlenecks: list[str] = field(default_factory=list)
    """What limits the deployment, and what would help; the most important first."""
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for `--json`."""
        return asdict(self)


def read_deployment(broker: Broker, memory: MemorySampler | None = None) -> DeploymentState:
    """The state of the deployment now, with the broker's memory if `memory` is given. Raises BrokerUnavailable."""
    registry = Registry(broker)
    cameras = registry.cameras()
    used = memory.sample([record.camera for record in cameras]) if memory is not None else BrokerMemory()
    return DeploymentState(cameras, process_reports(registry), used, registry.take_problems())


def overview(before: DeploymentState, now: DeploymentState, retention: RetentionSettings | None = None) -> Overview:
    """The overview of `now`, with rates since `before`; if both are the same state, rates are None.

    Warnings name the streams that are near the bounds of `retention`.
    """
    cameras = [_camera_row(record, before, now) for record in now.cameras]
    order = {INGEST: 0, WORKER: 1, TRACKER: 2}
    windows = {name: window(before.processes.get(name), report) for name, report in now.processes.items()}
    processes = [_process_row(name, before, report, windows[name]) for name, report in now.processes.items()]
    processes.sort(key=lambda row: (order.get(row.role, 3), row.host, row.pid))
    roles: dict[str, list[tuple[int, Window]]] = {}
    for row in processes:
        roles.setdefault(row.role, []).append((row.pid, windows[row.id]))
    memory = now.memory
    warnings = [*memory.warnings(retention or RetentionSettings()), *now.problems]
    advice = {row.name: tracking_of(now.processes, row.name)[1].advice for row in cameras}
    warnings += [f"{name}: {text}" for name, text in advice.items() if text is not None]
    warnings += [
        text for report in now.processes.values() if report.sink is not None for text in _sink_warnings(report.sink)
    ]
    return Overview(
        cameras=cameras,
        processes=processes,
        work=work_rows(roles),
        broker_used_bytes=memory.used_bytes,
        broker_limit_bytes=memory.limit_bytes,
        bottlenecks=_bottlenecks(before, now, processes),
        warnings=warnings,
    )


def _bottlenecks(before: DeploymentState, now: DeploymentState, processes: Sequence[ProcessRow]) -> list[str]:
    workers = [
        WorkerLoad(row.host, report.ready, row.fps, row.work.busy_share, report.worker.device)
        for row in processes
        if (report := now.processes[row.id]).worker is not None
    ]
    cameras = [_camera_load(record, before, now) for record in now.cameras]
    return bottlenecks(cameras, workers, {row.role for row in processes})


def _camera_load(record: CameraRecord, before: DeploymentState, now: DeploymentState) -> CameraLoad:
    name, policies = record.camera, record.policies
    earlier, capture = capture_of(before.processes, name), capture_of(now.processes, name)
    sizes = {one.worker.imgsz for one in now.processes.values() if one.worker is not None}
    fixed = policies.imgsz if policies.imgsz is not None else next(iter(sizes)) if len(sizes) == 1 else None
    return CameraLoad(
        name=name,
        live=record.delivery is Delivery.LIVE,
        state=capture.state,
        wanted_fps=_wanted_fps(name, before, now),
        imgsz=fixed if isinstance(fixed, int) else None,
        sent_fps=capture.sent_fps,
        nominal_fps=capture.nominal_fps,
        loses=losses(capture) != losses(earlier),
        keeps_pictures=record.evidence,
    )


def _wanted_fps(camera: str, before: DeploymentState, now: DeploymentState) -> float | None:
    """Frames a second that ingest sends to inference: all that it publishes, but for those that policies leave out."""
    name = next((name for name, one in now.processes.items() if camera in one.captures), "")
    first, last = before.processes.get(name), now.processes.get(name)
    if last is None or last.captures[camera].gate is None:
        return None if last is None else last.captures[camera].fps
    if first is None or camera not in first.captures:
        return None
    gates = [report.captures[camera].gate for report in (first, last)]
    return _rate(first, last, sum(gate.inferred * sign for gate, sign in zip(gates, (-1, 1), strict=True) if gate))


def _camera_row(record: CameraRecord, before: DeploymentState, now: DeploymentState) -> CameraRow:
    name = record.camera
    capture = capture_of(now.processes, name)
    tracker, tracked = tracking_of(now.processes, name)
    return CameraRow(
        name=name,
        source=record.source,
        delivery=record.delivery.value,
        state=capture.state,
        trouble=capture.trouble,
        fps_in=capture.fps,
        fps_out=_camera_rate(name, before.processes.get(tracker), now.processes.get(tracker)),
        age_ms=tracked.age_ms,
        people=tracked.people,
        backlog_frames=capture.backlog_frames,
        backlog_bytes=capture.backlog_bytes,
        backlog_limit_bytes=capture.backlog_limit_bytes,
        poses_bytes=now.memory.streams.get(("poses", name)),
        tracks_bytes=now.memory.streams.get(("tracks", name)),
        dropped=sum(losses(capture).values()) + tracked.skipped,
        infer=_infer(tracked),
    )


def _infer(tracked: TrackingReport) -> str | None:
    """Size and rate of inference in words, where the camera's plan decides them."""
    if tracked.interval_s is None:
        return None
    rate = f"{1 / tracked.interval_s:.3g}/s" if tracked.interval_s else "all"
    return rate if tracked.view is None else f"{tracked.view} px, {rate}"


def _process_row(name: str, before: DeploymentState, report: ProcessReport, since: Window) -> ProcessRow:
    return ProcessRow(
        id=name,
        role=report.role,
        host=report.host,
        pid=report.pid,
        fps=_worker_rate(before.processes.get(name), report),
        does=_does(report),
        work=work([since]),
    )


def _sink_warnings(sink: SinkReport) -> Iterator[str]:
    if sink.trouble is not None:
        waiting = "" if not sink.waiting else f"; {counted(sink.waiting, 'message')} wait for it"
        yield f"the sink {sink.name} fails: {sink.trouble}{waiting}"
    if sink.undelivered:
        yield (
            f"the sink {sink.name} has given up {counted(sink.undelivered, 'event')}: see them with "
            f"'posebus deliver --list-undelivered {sink.name}'"
        )


def _does(report: ProcessReport) -> str:
    if not report.ready:
        return "starting"
    if report.worker is not None:
        return _worker_in_words(report.worker)
    if report.does is not None:
        return report.does
    captures = [f"{name} ({one.state})" if one.state in SWITCHED_OFF else name for name, one in report.captures.items()]
    return ", ".join([*captures, *report.tracked]) or "no camera"


def _worker_in_words(worker: WorkerReport) -> str:
    skipped = sum(worker.skipped.values())
    size = "imgsz auto" if worker.imgsz == "auto" else f"{worker.imgsz} px"
    known = worker.engine is not None
    parts = [f"{worker.engine} {worker.precision} on {worker.device}, {size}" if known else "reports no engine"]
    parts += [f"{skipped} skipped"] if skipped else []
    parts += [f"{worker.dead} dead-lettered"] if worker.dead else []
    return ", ".join(parts)


def _worker_rate(first: ProcessReport | None, last: ProcessReport) -> float | None:
    if last.worker is None or first is None:
        return None
    frames = 0 if first.worker is None else first.worker.frames
    return _rate(first, last, last.worker.frames - frames)


def _camera_rate(camera: str, first: ProcessReport | None, last: ProcessReport | None) -> float | None:
    """Frames a second that the tracker of `camera` finished between two of its reports."""
    if first is None or last is None:
        return None
    nothing = TrackingReport()
    frames = [report.tracked.get(camera, nothing).frames or 0 for report in (first, last)]
    return _rate(first, last, frames[1] - frames[0])


def _rate(first: ProcessReport, last: ProcessReport, frames: int) -> float | None:
    """`frames` a second between two reports of one process; None if they are the same report."""
    elapsed_s = (last.at_ns - first.at_ns) / 1e9
    return round(max(0, frames) / elapsed_s, 1) if elapsed_s > 0 else None
