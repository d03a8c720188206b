"""Questions that several tools ask of the process reports of a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from posebus.bus.registry import Registry
from posebus.telemetry.camera_state import SWITCHED_OFF
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


def size_in_words(imgsz: object, views: Mapping[str, int] | None = None) -> str:
    """The `imgsz` of a worker, or of several that differ ("640, auto"), in words.

    views: the number of frames by the view at which they were inferred, where a policy chose it. The sizes are then
    those that were used: "1280 px, chosen by imgsz: auto".
    """
    if not views or imgsz != "auto":
        return "the size that each camera needs (imgsz: auto)" if imgsz == "auto" else f"{imgsz} px"
    by_frames = sorted(views, key=lambda view: (-views[view], view))
    most = view_in_words(by_frames[0])
    if len(by_frames) == 1:
        return f"{most}, chosen by imgsz: auto"
    sizes = {size for view in views if (size := imgsz_of(view)) is not None}
    if len(sizes) < 2:
        return f"mostly {most}, chosen by imgsz: auto"
    return f"{min(sizes):.0f} to {max(sizes):.0f} px, mostly {most}, chosen by imgsz: auto"


def view_in_words(view: str) -> str:
    """The text of a `posebus.views.View` in words: 640 px, or 640 px in 3x2 tiles."""
    size, _, tiles = view.partition("/")
    return f"{size} px in {tiles} tiles" if tiles else f"{size} px"


def capture_of(reports: Reports, camera: str) -> CaptureReport:
    """What ingest reports of `camera`; the newest report where two processes have it, an empty one without any.

    A process that reads the camera knows more than a supervisor by whose settings it is off, on another machine.
    """
    found = [
        (one.captures[camera].state not in SWITCHED_OFF, one.at_ns, name, one.captures[camera])
        for name, one in reports.items()
        if camera in one.captures
    ]
    return max(found, key=lambda entry: entry[:3])[3] if found else CaptureReport()


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
