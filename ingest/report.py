"""The part of the process report that is about the camera."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.publishing.publisher import Publisher
from ingest.reading.frame_rate import CameraRates
from posebus.telemetry.process_report import CaptureReport, GateReport, MotionReport


def camera_report(
    publisher: Publisher,
    state: str,
    trouble: str | None,
    rates: CameraRates,
    backlog_s: float,
    dropped: Mapping[str, int],
    gate: GateReport | None = None,
    motion: MotionReport | None = None,
) -> CaptureReport:
    """The report of the camera of `publisher`; `backlog_s` is its `backlog_s`, and `dropped` is by reason."""
    return CaptureReport(
        state=state,
        trouble=trouble,
        frames=publisher.published,
        fps=rates.published,
        sent_fps=rates.sent,
        nominal_fps=rates.nominal,
        dropped=dict(dropped),
        backlog_s=round(backlog_s, 3),
        backlog_frames=publisher.backlog.frames,
        backlog_bytes=publisher.backlog.frames_bytes,
        backlog_limit_bytes=publisher.budget_bytes,
        gate=gate,
        motion=motion,
    )
