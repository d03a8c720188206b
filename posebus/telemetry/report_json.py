"""Process reports as JSON objects, as they stand in the hash `processes`.

Fields that a reader does not know are ignored, and a field that is missing or malformed reads as its default, so that
processes of several versions of posebus work together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from posebus.config.redaction import harmless
from posebus.contract.foreign_json import MAX_WHOLE
from posebus.telemetry.camera_state import NO_INGEST
from posebus.telemetry.process_report import (
    INGEST,
    SINK,
    TRACKER,
    WORKER,
    CaptureReport,
    Enhancement,
    GateReport,
    MotionReport,
    ProcessReport,
    SinkReport,
    TrackingReport,
    WorkerReport,
)

MAX_TEXT = 300
"""Characters of a text or a name in a report."""


def report_to_json(report: ProcessReport) -> dict[str, Any]:
    """`report` as JSON values, without what the registry adds (role, host, pid, at_ns)."""
    data: dict[str, Any] = {"version": report.version, "ready": report.ready, "metrics": report.metrics}
    if report.worker is not None:
        data |= _worker_to_json(report.worker)
    if report.does is not None:
        data["does"] = report.does
    if report.sink is not None:
        data["sink"] = asdict(report.sink)
    if report.role == TRACKER:
        data["cameras"] = {camera: _tracking_to_json(one) for camera, one in report.tracked.items()}
    elif report.captures:
        data["cameras"] = {camera: _capture_to_json(one) for camera, one in report.captures.items()}
    return data


def read_report(data: Mapping[str, Any]) -> ProcessReport:
    """The report in a JSON object, by any version of posebus. Never raises: malformed fields read as their defaults."""
    role = _line(data.get("role", "?"))
    cameras = _mapping(data.get("cameras"))
    return ProcessReport(
        role=role,
        ready=bool(data.get("ready", True)),
        metrics=_mapping(data.get("metrics")),
        worker=_read_worker(data) if role == WORKER else None,
        captures={name: _read_capture(_mapping(one)) for name, one in cameras.items()} if role == INGEST else {},
        tracked={name: _read_tracking(_mapping(one)) for name, one in cameras.items()} if role == TRACKER else {},
        does=_text(data.get("does")),
        sink=_read_sink(_mapping(data.get("sink"))) if role == SINK and "sink" in data else None,
        host=_line(data.get("host", "?")),
        pid=_count(data.get("pid")),
        at_ns=_count(data.get("at_ns")),
        version=_count(data.get("version")),
    )


def _read_sink(data: Mapping[str, Any]) -> SinkReport:
    return SinkReport(
        name=_line(data.get("name", "?")),
        delivered=_count(data.get("delivered")),
        undelivered=_count(data.get("undelivered")),
        lost=_count(data.get("lost")),
        waiting=_count(data.get("waiting")),
        trouble=_text(data.get("trouble")),
    )


def _worker_to_json(worker: WorkerReport) -> dict[str, Any]:
    data: dict[str, Any] = {
        "engine": worker.engine,
        "precision": worker.precision,
        "device": worker.device,
        "imgsz": worker.imgsz,
        "largest_imgsz": worker.largest_imgsz,
        "frames": worker.frames,
        "dead": worker.dead,
        "skipped": dict(worker.skipped),
        "enhance": {
            camera: {"captured_at_ns": one.captured_at_ns, "text": one.text} for camera, one in worker.enhance.items()
        },
    }
    if worker.pixels_per_s is not None:
        data["pixels_per_s"] = round(worker.pixels_per_s, 1)
    return data


def _read_worker(data: Mapping[str, Any]) -> WorkerReport:
    imgsz = data.get("imgsz")
    return WorkerReport(
        engine=_text(data.get("engine")),
        precision=_text(data.get("precision")),
        device=_text(data.get("device")),
        imgsz=_text(imgsz) or _whole(imgsz),
        # Workers of before there was an automatic size reported `imgsz` alone.
        largest_imgsz=_whole(data.get("largest_imgsz", imgsz)),
        frames=_count(data.get("frames")),
        dead=_count(data.get("dead")),
        skipped=_counts(data.get("skipped")),
        enhance={
            camera: enhancement
            for camera, one in _mapping(data.get("enhance")).items()
            if (enhancement := _read_enhancement(one)) is not None
        },
        pixels_per_s=_number(data.get("pixels_per_s")),
    )


def _read_enhancement(data: object) -> Enhancement | None:
    fields = _mapping(data)
    # Earlier workers reported the text alone, or under another name.
    text = data if isinstance(data, str) else fields.get("text", fields.get("what"))
    return Enhancement(_count(fields.get("captured_at_ns")), _line(text)) if isinstance(text, str) and text else None


def _capture_to_json(capture: CaptureReport) -> dict[str, Any]:
    data: dict[str, Any] = {
        "state": capture.state,
        "trouble": capture.trouble,
        "frames": capture.frames,
        "fps": capture.fps,
        "dropped": dict(capture.dropped),
        "backlog_s": capture.backlog_s,
        "backlog_frames": capture.backlog_frames,
        "backlog_bytes": capture.backlog_bytes,
        "backlog_limit_bytes": capture.backlog_limit_bytes,
    }
    if capture.nominal_fps is not None:
        data |= {"sent_fps": capture.sent_fps, "nominal_fps": capture.nominal_fps}
    gate = capture.gate
    if gate is not None:
        data["gate"] = {
            "policy": gate.policy,
            "open": gate.open,
            "log": [list(change) for change in gate.log],
            "inferred": gate.inferred,
            "still": gate.still,
            "rate": gate.rate,
        }
    if capture.motion is not None:
        data["motion"] = {"px_per_s": capture.motion.px_per_s, "shots": capture.motion.shots}
    return data


def _read_capture(data: Mapping[str, Any]) -> CaptureReport:
    return CaptureReport(
        state=_text(data.get("state")) or NO_INGEST,
        trouble=_text(data.get("trouble")),
        frames=_whole(data.get("frames")),
        fps=_number(data.get("fps")),
        sent_fps=_number(data.get("sent_fps")),
        nominal_fps=_number(data.get("nominal_fps")),
        dropped=_counts(data.get("dropped")),
        backlog_s=_number(data.get("backlog_s")),
        backlog_frames=_whole(data.get("backlog_frames")),
        backlog_bytes=_whole(data.get("backlog_bytes")),
        backlog_limit_bytes=_whole(data.get("backlog_limit_bytes")),
        gate=_read_gate(_mapping(data.get("gate"))),
        motion=_read_motion(_mapping(data.get("motion"))),
    )


def _read_motion(data: Mapping[str, Any]) -> MotionReport | None:
    return MotionReport(_number(data.get("px_per_s")) or 0.0, _count(data.get("shots"))) if data else None


def _read_gate(data: Mapping[str, Any]) -> GateReport | None:
    if not data:
        return None
    is_open, log = data.get("open"), data.get("log")
    rows = [row for row in log if isinstance(row, list) and len(row) == 2] if isinstance(log, list) else []
    return GateReport(
        policy=_text(data.get("policy")) or "off",
        open=is_open if isinstance(is_open, bool) else None,
        inferred=_count(data.get("inferred")),
        still=_count(data.get("still")),
        rate=_count(data.get("rate")),
        log=tuple((_count(at_ns), _line(text)) for at_ns, text in rows),
    )


def _tracking_to_json(tracking: TrackingReport) -> dict[str, Any]:
    data: dict[str, Any] = {
        "frames": tracking.frames,
        "people": tracking.people,
        "skipped": tracking.skipped,
        "skipped_by_reason": dict(tracking.skipped_by_reason),
        "age_ms": tracking.age_ms,
    }
    if tracking.interval_s is not None:
        data |= {"view": tracking.view, "interval_s": tracking.interval_s}
    if tracking.advice is not None:
        data["advice"] = tracking.advice
    if tracking.demand_px_per_s is not None:
        data |= {"demand_px_per_s": tracking.demand_px_per_s, "flexible": tracking.flexible}
    return data


def _read_tracking(data: Mapping[str, Any]) -> TrackingReport:
    return TrackingReport(
        frames=_whole(data.get("frames")),
        people=_whole(data.get("people")),
        skipped=_count(data.get("skipped")),
        skipped_by_reason=_counts(data.get("skipped_by_reason")),
        age_ms=_number(data.get("age_ms")),
        view=_text(data.get("view")),
        interval_s=_number(data.get("interval_s")),
        advice=_text(data.get("advice")),
        demand_px_per_s=_number(data.get("demand_px_per_s")),
        flexible=data.get("flexible") is True,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    """The fields of a JSON object by names that can be shown."""
    return {_line(name): one for name, one in value.items()} if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    """`value` if it is text, in a form that can be shown: anybody who can write a report chooses it."""
    return _line(value) if isinstance(value, str) else None


def _line(value: object) -> str:
    return harmless(str(value), MAX_TEXT)


def _number(value: object) -> float | None:
    """`value` if it is a finite number, and small enough to be counted with."""
    return value if isinstance(value, (int, float)) and -MAX_WHOLE <= value <= MAX_WHOLE else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _count(value: object) -> int:
    return _whole(value) or 0


def _counts(value: object) -> dict[str, int]:
    return {name: _count(number) for name, number in _mapping(value).items()}
