"""`posebus run`: analyse recordings and write the tracks into files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.plain_text import plain, plain_json
from posebus.wording import counted
from posebus_cli.analyse.run_live import run_cameras
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, FleetOptions, JsonOption, NetworkOptions, PartOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping

VideosArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Video files; folders with videos in them or in folders inside; folders of pictures alone, which are read "
        "in order of their names; patterns like 'day*/*.mp4'. Or cameras: addresses like rtsp://…, usb:0.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Folder for the files; created if missing. (default: the folder of the same run if that was interrupted, "
        "else a new one, posebus-out or posebus-out-2, …)",
    ),
]
NoVideoOption = Annotated[
    bool, typer.Option("--no-video", help="Write no annotated videos, which take some time to draw.")
]
SecondsOption = Annotated[
    float | None,
    typer.Option(
        "--seconds",
        metavar="N",
        min=0.1,
        help="Record cameras for so long. (default: until Ctrl-C, or until all of them end)",
    ),
]


@dataclass(frozen=True, slots=True)
class ResultOptions:
    """Where the results of recordings are written, and which."""

    out: OutOption = None
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew: replace the results of these recordings in the folder.")
    ] = False
    no_video: NoVideoOption = False


@grouped
def run(
    *,
    videos: VideosArgument,
    results: ResultOptions,
    seconds: SecondsOption = None,
    excerpt: PartOptions,
    network: NetworkOptions,
    processes: FleetOptions,
    deployment: DeploymentOptions,
    as_json: JsonOption = False,
) -> None:
    """Analyse recordings: run every frame through the whole pipeline and write the tracks into files.

    What is finished is skipped when the same command is given again, and an interrupted run goes on.

    For each VIDEO, the folder gets NAME.tracks.jsonl (the tracks of every frame with their skeletons),
    NAME.mot.txt (MOTChallenge format) and NAME.annotated.mp4, all with final numbers; one summary.json covers all of
    them. A video that cannot be read is reported on standard error and does not stop the others; the exit code is then
    1.

    Cameras and addresses are recorded as they come, for --seconds or until Ctrl-C, which completes the files; frames
    for which the machine has no time are skipped and counted. Their pictures are kept on disk until the video is drawn,
    a few hundred MB a minute; --no-video needs none of it.

    By default everything that it needs is started here and stopped at the end. With --workers 0 and --redis it uses
    the workers and trackers of a running deployment.
    """
    from posebus.runtime.failures import complain
    from recordings.continuing.folder import run_folder
    from recordings.inputs.part import parse_part
    from recordings.interrupts import interruptible
    from recordings.progress import progress_for
    from recordings.run import prepare_run, run_recordings

    settings = settings_from(deployment, processes, network)
    if _are_live(videos, seconds):
        run_cameras(settings, videos, results.out, seconds=seconds, video=not results.no_video, as_json=as_json)
        return
    part = parse_part(excerpt.start, excerpt.end, excerpt.every, excerpt.max_fps)
    with interruptible(), progress_for(as_json=as_json) as progress:
        request = prepare_run(settings, videos, part, complain, video=not results.no_video, fresh=results.fresh)
        with run_folder(results.out, request.wishes, request.facts, fresh=results.fresh) as folder:
            summary = run_recordings(settings, request, folder, progress, complain)
    if as_json:
        print(plain_json(json.dumps(summary, indent=2, ensure_ascii=False)))
    else:
        for line in summary_lines(summary, folder):
            print(plain(line))
    if summary["failed"]:
        raise typer.Exit(1)


def _are_live(sources: list[str], seconds: float | None) -> bool:
    """Return whether `sources` are cameras rather than recordings. Raises ConfigError if they are both."""
    from posebus.config.redaction import redact_url
    from posebus.errors import ConfigError
    from recordings.live.sources import is_recording

    recorded = [source for source in sources if is_recording(source)]
    live = [source for source in sources if source not in recorded]
    if recorded and live:
        raise ConfigError(
            f"{redact_url(recorded[0])} is a recording and {redact_url(live[0])} a camera: analyse them in two runs, "
            "or play the recording like a camera with `posebus up`"
        )
    if recorded and seconds is not None:
        raise ConfigError(f"--seconds is for cameras, and {redact_url(recorded[0])} is a recording, which has an end")
    return bool(live)


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
    if summary.get("skipped"):
        were = "was" if len(summary["skipped"]) == 1 else "were"
        lines.append(f"{counted(len(summary['skipped']), 'recording')} {were} finished before and skipped")
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
