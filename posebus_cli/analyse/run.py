"""`posebus run`: analyse recordings and write the tracks into files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.plain_text import plain, plain_json
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, FleetOptions, JsonOption, NetworkOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping

VideosArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="VIDEO...", help="Video files, or folders of pictures, which are read in order of their names."
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the files; created if missing.")
]
NoVideoOption = Annotated[
    bool, typer.Option("--no-video", help="Write no annotated videos, which take some time to draw.")
]


@grouped
def run(
    *,
    videos: VideosArgument,
    out: OutOption,
    network: NetworkOptions,
    processes: FleetOptions,
    no_video: NoVideoOption = False,
    deployment: DeploymentOptions,
    as_json: JsonOption = False,
) -> None:
    """Analyse recordings: run every frame through the whole pipeline and write the tracks into files.

    For each VIDEO, the folder --out gets NAME.tracks.jsonl (the tracks of every frame with their skeletons),
    NAME.mot.txt (MOTChallenge format) and NAME.annotated.mp4; one summary.json covers all of them. A video that cannot
    be read is reported on standard error and does not stop the others; the exit code is then 1.
    """
    from posebus.runtime.failures import complain
    from recordings.interrupts import interruptible
    from recordings.progress import progress_for
    from recordings.run import RunRequest, run_recordings

    settings = settings_from(deployment, processes, network)
    request = RunRequest(sources=videos, folder=out, video=not no_video)
    with interruptible(), progress_for(as_json=as_json) as progress:
        summary = run_recordings(settings, request, progress, complain)
    if as_json:
        print(plain_json(json.dumps(summary, indent=2, ensure_ascii=False)))
    else:
        for line in summary_lines(summary, out):
            print(plain(line))
    if summary["failed"]:
        raise typer.Exit(1)


def summary_lines(summary: Mapping[str, Any], out: Path) -> list[str]:
    """Return the summary as lines of text."""
    from posebus.telemetry.reports import size_in_words

    lines = [
        f"{one['name']}: {one['frames']} frames, {one['tracks']} {_people(one['tracks'])}, {one['fps']:.1f} fps"
        for one in summary["inputs"]
    ]
    if summary["inputs"]:
        latency = summary["latency_ms"]
        lines += [
            f"{summary['frames']} frames at {summary['fps']:.1f} fps, {summary['dropped']} dropped, "
            f"{summary['engine']} {summary['precision']} at {size_in_words(summary['imgsz'])}, "
            f"{summary['wall_s']:.1f} s in total; frame to track {latency['p50']} ms (p95 {latency['p95']} ms)"
        ]
    failed = len(summary["failed"])
    lines += [f"{failed} of the recordings failed; the reasons are above"] if failed else []
    return [*lines, f"files: {out}"]


def _people(number: int) -> str:
    return "person" if number == 1 else "people"
