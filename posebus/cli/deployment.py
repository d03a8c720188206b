"""A deployment as `top` sees it: the processes' reports, put together by camera and turned into rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from posebus.bus.connection import Broker
from posebus.bus.registry import CameraRecord, Registry

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the registry holds at one moment: cameras, and the last report of each living process by its id."""

    cameras: list[CameraRecord]
    processes: Mapping[str, Report]


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
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process. `fps`: frames it finished a second, None where that means nothing."""

    id: str
    role: str
    host: str
    pid: int
    fps: float | None
    does: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that `top` shows."""

    cameras: list[CameraRow] = field(default_factory=list)
    processes: list[ProcessRow] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for `--json`."""
        return asdict(self)


def look(broker: Broker) -> Snapshot:
    """The registry now. Raises BrokerUnavailable."""
    registry = Registry(broker)
    return Snapshot(registry.cameras(), registry.processes())


def overview(before: Snapshot, now: Snapshot) -> Overview:
    """`now`, with rates since `before` (which may be the same snapshot: then they are None)."""
    cameras = [_camera_row(record, before, now) for record in now.cameras]
    order = {"ingest": 0, "worker": 1, "tracker": 2}
    processes = [_process_row(name, before, report) for name, report in now.processes.items()]
    processes.sort(key=lambda row: (order.get(row.role, 3), row.host, row.pid))
    return Overview(cameras, processes)


def _camera_row(record: CameraRecord, before: Snapshot, now: Snapshot) -> CameraRow:
    name = record.camera
    _, source = _of_camera(now, "ingest", name)
    tracker, tracked = _of_camera(now, "tracker", name)
    losses = {reason: _count(number) for reason, number in _section(source, "dropped").items()}
    # What ingest skips in the broker reaches the tracker as a mark, which counts it too.
    losses.pop("overflow", None)
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
        dropped=sum(losses.values()) + _count(tracked.get("skipped")),
    )


def _process_row(name: str, before: Snapshot, report: Report) -> ProcessRow:
    role = str(report.get("role", "?"))
    return ProcessRow(
        id=name,
        role=role,
        host=str(report.get("host", "?")),
        pid=_count(report.get("pid")),
        fps=_rate_between(before.processes.get(name), report, ()) if role == "worker" else None,
        does=_does(role, report),
    )


def _does(role: str, report: Report) -> str:
    if not report.get("ready", True):
        return "starting"
    if role == "worker":
        skipped = sum(_count(number) for number in _section(report, "skipped").values())
        parts = [
            f"{report.get('engine')} {report.get('precision')} on {report.get('device')}, {report.get('imgsz')} px"
        ]
        parts += [f"{skipped} skipped"] if skipped else []
        parts += [f"{report['dead']} dead-lettered"] if report.get("dead") else []
        return ", ".join(parts)
    return ", ".join(_section(report, "cameras")) or "no camera"


def _of_camera(snapshot: Snapshot, role: str, camera: str) -> tuple[str, Report]:
    """The process of `role` that has `camera`, and what it says of it; the newest, if a dying one still reports."""
    found = [
        (_count(report.get("at_ns")), name, _section(report, "cameras")[camera])
        for name, report in snapshot.processes.items()
        if report.get("role") == role and camera in _section(report, "cameras")
    ]
    _, name, section = max(found, key=lambda entry: entry[:2], default=(0, "", {}))
    return name, section


def _rate(before: Snapshot, now: Snapshot, process: str, path: tuple[str, ...]) -> float | None:
    return _rate_between(before.processes.get(process), now.processes.get(process), path)


def _rate_between(first: Report | None, last: Report | None, path: tuple[str, ...]) -> float | None:
    """Frames a second between two reports of one process; None without two different ones."""
    if first is None or last is None:
        return None
    elapsed_s = (_count(last.get("at_ns")) - _count(first.get("at_ns"))) / 1e9
    if elapsed_s <= 0:
        return None
    for name in path:
        first, last = _section(first, name), _section(last, name)
    return round(max(0, _count(last.get("frames")) - _count(first.get("frames"))) / elapsed_s, 1)


def _section(report: Report, name: str) -> Mapping[str, Any]:
    """A mapping in a report, empty where another version of posebus reports something else there."""
    section = report.get(name)
    return section if isinstance(section, Mapping) else {}


def _count(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else 0
