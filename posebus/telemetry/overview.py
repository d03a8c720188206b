"""A deployment as `top` sees it: the processes' reports, put together by camera and turned into rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord, Registry
from posebus.config.settings import RetentionSettings
from posebus.telemetry.broker_memory import Memory, MemoryLook
from posebus.telemetry.reports import Report, count, losses, number, of_camera, section, size_in_words
from posebus.telemetry.stage_times import Window, Work, WorkRow, window, work, work_rows


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the registry holds at one moment: cameras, and the last report of each living process by its id."""

    cameras: list[CameraRecord]
    processes: Mapping[str, Report]
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True, slots=True)
class CameraRow:
    """One camera. None is what nobody reports. `dropped` counts since its processes started."""

    name: str
    source: str
    delivery: str
    state: str = "no ingest"
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
    """One process. `fps`: frames it finished a second, None where that means nothing."""

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
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for `--json`."""
        return asdict(self)


def look(broker: Broker, memory: MemoryLook | None = None) -> Snapshot:
    """The registry now, and the broker's memory where `memory` is given. Raises BrokerUnavailable."""
    registry = Registry(broker)
    cameras = registry.cameras()
    used = memory.look([record.camera for record in cameras]) if memory is not None else Memory()
    return Snapshot(cameras, registry.processes(), used)


def overview(before: Snapshot, now: Snapshot, retention: RetentionSettings | None = None) -> Overview:
    """`now`, with rates since `before` (which may be the same snapshot: then they are None).

    Warnings tell what is near the bounds of `retention`.
    """
    cameras = [_camera_row(record, before, now) for record in now.cameras]
    order = {"ingest": 0, "worker": 1, "tracker": 2}
    windows = {name: window(before.processes.get(name), report) for name, report in now.processes.items()}
    processes = [_process_row(name, before, report, windows[name]) for name, report in now.processes.items()]
    processes.sort(key=lambda row: (order.get(row.role, 3), row.host, row.pid))
    roles: dict[str, list[tuple[int, Window]]] = {}
    for row in processes:
        roles.setdefault(row.role, []).append((row.pid, windows[row.id]))
    memory = now.memory
    warnings = memory.warnings(retention or RetentionSettings())
    return Overview(cameras, processes, work_rows(roles), memory.used_bytes, memory.limit_bytes, warnings)


def _camera_row(record: CameraRecord, before: Snapshot, now: Snapshot) -> CameraRow:
    name = record.camera
    _, source = of_camera(now.processes, "ingest", name)
    tracker, tracked = of_camera(now.processes, "tracker", name)
    return CameraRow(
        name=name,
        source=record.source,
        delivery=record.delivery.value,
        state=str(source.get("state", "no ingest")),
        trouble=source.get("trouble"),
        fps_in=source.get("fps"),
        fps_out=_rate(before, now, tracker, ("cameras", name)),
        age_ms=tracked.get("age_ms"),
        people=tracked.get("people"),
        backlog_frames=source.get("backlog_frames"),
        backlog_bytes=source.get("backlog_bytes"),
        backlog_limit_bytes=source.get("backlog_limit_bytes"),
        poses_bytes=now.memory.streams.get(("poses", name)),
        tracks_bytes=now.memory.streams.get(("tracks", name)),
        dropped=sum(losses(source).values()) + count(tracked.get("skipped")),
        infer=_infer(tracked),
    )


def _infer(tracked: Report) -> str | None:
    """How the camera is inferred, where that is decided for it."""
    if "interval_s" not in tracked:
        return None
    interval_s = number(tracked["interval_s"]) or 0.0
    rate = f"{1 / interval_s:.3g}/s" if interval_s else "all"
    return rate if tracked.get("view") is None else f"{tracked['view']} px, {rate}"


def _process_row(name: str, before: Snapshot, report: Report, since: Window) -> ProcessRow:
    role = str(report.get("role", "?"))
    return ProcessRow(
        id=name,
        role=role,
        host=str(report.get("host", "?")),
        pid=count(report.get("pid")),
        fps=_rate_between(before.processes.get(name), report, ()) if role == "worker" else None,
        does=_does(role, report),
        work=work([since]),
    )


def _does(role: str, report: Report) -> str:
    if not report.get("ready", True):
        return "starting"
    if role == "worker":
        skipped = sum(count(number) for number in section(report, "skipped").values())
        parts = [
            f"{report.get('engine')} {report.get('precision')} on {report.get('device')}, "
            f"{size_in_words(report.get('imgsz'))}"
        ]
        parts += [f"{skipped} skipped"] if skipped else []
        parts += [f"{report['dead']} dead-lettered"] if report.get("dead") else []
        return ", ".join(parts)
    return ", ".join(section(report, "cameras")) or "no camera"


def _rate(before: Snapshot, now: Snapshot, process: str, path: tuple[str, ...]) -> float | None:
    return _rate_between(before.processes.get(process), now.processes.get(process), path)


def _rate_between(first: Report | None, last: Report | None, path: tuple[str, ...]) -> float | None:
    """Frames a second between two reports of one process; None without two different ones."""
    if first is None or last is None:
        return None
    elapsed_s = (count(last.get("at_ns")) - count(first.get("at_ns"))) / 1e9
    if elapsed_s <= 0:
        return None
    for name in path:
        first, last = section(first, name), section(last, name)
    return round(max(0, count(last.get("frames")) - count(first.get("frames"))) / elapsed_s, 1)
