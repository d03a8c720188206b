"""`posebus run` of cameras and addresses instead of recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from posebus.wording import counted
from posebus_cli.analyse.summary_output import last_lines, print_summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from posebus.config.settings import Settings
    from recordings.results.result_files import WantedFiles


def run_cameras(
    settings: Settings,
    sources: Sequence[str],
    out: Path | None,
    files: WantedFiles,
    *,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Record the cameras and print the summary; ends with 1 if one failed, and with 130 after Ctrl-C."""
    from posebus.runtime.failures import complain
    from recordings.interrupts import interruptible
    from recordings.live.run import LiveRequest, run_live
    from recordings.progress import progress_for
    from recordings.results.new_folder import results_folder

    if seconds is None:
        complain("without --seconds the cameras are recorded until Ctrl-C, which completes the files")
    with interruptible(), progress_for(as_json=as_json) as progress, results_folder(out) as folder:
        request = LiveRequest(
            sources=sources,
            folder=folder,
            seconds=seconds,
            video=files.video,
            formats=files.formats,
            privacy=files.privacy,
        )
        result = run_live(settings, request, progress, complain)
    print_summary(result.summary, live_lines(result.summary, folder), as_json=as_json)
    if result.interrupted:
        raise KeyboardInterrupt
    if result.summary["failed"]:
        raise typer.Exit(1)


def live_lines(summary: Mapping[str, Any], out: Path) -> list[str]:
    """Return the summary as lines of text."""
    lines = [_camera_line(one, summary["imgsz"]) for one in summary["inputs"]]
    return [*lines, *last_lines(summary, "camera", out)]


def _camera_line(one: Mapping[str, Any], imgsz: object) -> str:
    from posebus.telemetry.reports import size_in_words

    ages, reconnects = one["age_ms"], one["reconnects"]
    again = f", connected again {counted(reconnects, 'time')}" if reconnects else ""
    return (
        f"{one['name']}: {counted(one['frames'], 'frame')} in {one['source']['duration_s']:.1f} s "
        f"({one['fps']:.1f} frames/s), {one['skipped'] or 'none'} skipped{again}; {counted(one['tracks'], 'person')}; "
        f"tracks {ages['p50']:.0f} ms after capture (95 %: {ages['p95']:.0f} ms), "
        f"at {size_in_words(imgsz, one.get('views'))}"
    )
