"""Questions that several tools ask of the process reports of a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from posebus.bus.registry import Registry
from posebus.telemetry.process_report import WORKER, CaptureReport, ProcessReport, TrackingReport
from posebus.telemetry.report_json import read_report

Reports = Mapping[str, ProcessReport]
"""The last report of each living process, by its id."""


def process_reports(registry: Registry) -> dict[str, ProcessReport]:
    """The last report of each living process, by its id. Raises BrokerUnavailable and BrokerRefused."""
    return {name: read_report(data) for name, data in registry.processes().items()}


def largest_imgsz(reports: Iterable[ProcessReport]) -> int | None:
    """The largest inference size (pixels) of all workers, those that are not ready included; None without any."""
    sizes = [report.worker.largest_imgsz for report in reports if report.worker is not None]
    return max((size for size in sizes if size is not None), default=None)


def worker_reports(reports: Reports) -> list[ProcessReport]:
    """The reports of workers alone."""
    return [report for report in reports.values() if report.role == WORKER]


def size_in_words(imgsz: object) -> str:
    """The `imgsz` of a worker, or of several that differ ("640, auto"), in words."""
    return "sizes of its own choice" if imgsz == "auto" else f"{imgsz} px"


def capture_of(reports: Reports, camera: str) -> CaptureReport:
    """What ingest reports of `camera`; the newest report where two processes have it, an empty one without any."""
    found = [(one.at_ns, name, one.captures[camera]) for name, one in reports.items() if camera in one.captures]
    return max(found, key=lambda entry: entry[:2])[2] if found else CaptureReport()


def tracking_of(reports: Reports, camera: str) -> tuple[str, TrackingReport]:
    """The tracker of `camera` and its report of it, as in `capture_of`; ("", an empty report) without any."""
    found = [(one.at_ns, name, one.tracked[camera]) for name, one in reports.items() if camera in one.tracked]
    return max(found, key=lambda entry: entry[:2])[1:] if found else ("", TrackingReport())


def losses(capture: CaptureReport) -> dict[str, int]:
    """Frames that were lost before they had a number, by reason."""
    # A frame that ingest skips in the broker reaches the tracker as a mark, and the tracker counts it, too.
    return {reason: frames for reason, frames in capture.dropped.items() if reason != "overflow"}


def imgsz_of(view: str | None) -> float | None:
    """The size (pixels) in the text of a `posebus.views.View`; None where it is malformed."""
    size = (view or "").partition("/")[0]
    return float(size) if size.isdecimal() and len(size) < 6 else None
