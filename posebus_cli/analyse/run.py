"""`posebus run`: analyse recordings and write the tracks into files."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.plain_text import plain, plain_json
from posebus.wording import counted
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, FleetOptions, JsonOption, NetworkOptions
from posebus_cli.options.results import ResultOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recordings.results.earlier_run import EarlierRun
    from recordings.run import RunRequest

VideosArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="VIDEO", help="Video files, or folders of pictures, which are read in order of their names."
    ),
]
SomeVideosArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="VIDEO", help="Video files, or folders of pictures, which are read in order of their names."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Folder for the files; created if missing. (default: a new folder, posebus-out or posebus-out-2, …)",
    ),
]


@grouped
def run(
    *,
    videos: SomeVideosArgument = None,
    out: OutOption = None,
    network: NetworkOptions,
    processes: FleetOptions,
    results: ResultOptions,
    deployment: DeploymentOptions,
    as_json: JsonOption = False,
) -> None:
    """Analyse recordings: run every frame through the whole pipeline and write the tracks into files.

    For each VIDEO, the folder gets NAME.tracks.jsonl (the tracks of every frame with their skeletons),
    NAME.mot.txt (MOTChallenge format), NAME.people.csv (when each person was seen, how far they walked, and the best
    picture of them in NAME.people), NAME.events.jsonl and NAME.annotated.mp4, all with final numbers; one summary.json
    covers all of them. --format csv,parquet,coco writes the tracks in other formats. A video that cannot be read is
    reported on standard error and does not stop the others; the exit code is then 1.

    By default everything that it needs is started here and stopped at the end. With --workers 0 and --redis it uses
    the workers and trackers of a running deployment.
    """
    from posebus.runtime.failures import complain
    from recordings.interrupts import interruptible
    from recordings.progress import progress_for
    from recordings.results.earlier_run import read_earlier_run
    from recordings.results.new_folder import results_folder
    from recordings.run import run_recordings

    earlier = None if results.repeat is None else read_earlier_run(results.repeat)
    settings = settings_from(deployment, processes, network, earlier=None if earlier is None else earlier.settings)
    request = _request(videos or (), results, earlier)
    with interruptible(), progress_for(as_json=as_json) as progress, results_folder(out) as folder:
        summary = run_recordings(settings, replace(request, folder=folder), progress, complain)
    if as_json:
        print(plain_json(json.dumps(summary, indent=2, ensure_ascii=False)))
    else:
        for line in summary_lines(summary, folder):
            print(plain(line))
    if summary["failed"]:
        raise typer.Exit(1)


def _request(videos: Sequence[str], results: ResultOptions, earlier: EarlierRun | None) -> RunRequest:
    """Return what is to be done, by the options and by the run that is repeated. Raises ConfigError."""
    from posebus.errors import ConfigError
    from recordings.results.formats.table import chosen
    from recordings.run import RunRequest

    request = RunRequest(
        sources=videos,
        folder=Path(),
        video=results.video,
        formats=results.wanted_formats,
        snapshots=results.wants_snapshots,
        earlier=earlier,
    )
    if earlier is not None:
        given = {"formats": results.formats, "video": results.no_video, "snapshots": results.snapshots is not None}
        known = {one.name for one in fields(RunRequest)} - {name for name, is_given in given.items() if is_given}
        options = {name: value for name, value in earlier.options.items() if name in known}
        request = replace(request, **{**options, "sources": videos or earlier.sources})
        request = replace(request, formats=chosen(request.formats))
    if not request.sources:
        raise ConfigError("no recording is given: name video files or folders of pictures, or a summary with --from")
    return request


def summary_lines(summary: Mapping[str, Any], out: Path) -> list[str]:
    """Return the summary as lines of text."""
    lines = [_input_line(one, summary["imgsz"]) for one in summary["inputs"]]
    if summary["inputs"]:
        dropped = summary["dropped"]
        lines += [
            f"{counted(summary['frames'], 'frame')} in {summary['processing_s']:.1f} s: {_throughput(summary)}, "
            f"{f'{dropped} dropped' if dropped else 'none dropped'}; {summary['engine']} {summary['precision']}; "
            f"{summary['wall_s']:.1f} s in total with loading and writing"
        ]
    failed = len(summary["failed"])
    if failed:
        why = "the reason is" if failed == 1 else "the reasons are"
        lines.append(f"{counted(failed, 'recording')} failed; {why} above")
    return [*lines, f"files: {out}"]


def _input_line(one: Mapping[str, Any], imgsz: object) -> str:
    from posebus.telemetry.reports import size_in_words

    return (
        f"{one['name']}: {counted(one['frames'], 'frame')}, {counted(one['tracks'], 'person')}, {_throughput(one)}, "
        f"at {size_in_words(imgsz, one.get('views'))}"
    )


def _throughput(counts: Mapping[str, Any]) -> str:
    speed = counts["speed"]
    return f"{counts['fps']:.1f} frames/s" + (f" ({speed:.1f} x real time)" if speed else "")
