"""`posebus run`: analyse recordings and write the tracks into files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posebus.wording import counted
from posebus_cli.analyse.run_live import run_cameras
from posebus_cli.analyse.summary_output import last_lines, print_summary
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, FleetOptions, JsonOption, NetworkOptions, PartOptions
from posebus_cli.options.results import ResultOptions
from posebus_cli.options.settings import camera_of, settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from posebus.config.cameras.camera_settings import CameraOptions
    from recordings.results.earlier_run import EarlierRun
    from recordings.results.result_files import WantedFiles

_SOURCE = typer.Argument(
    metavar="SOURCE",
    help="Video files; folders with videos in them or in folders inside; folders of pictures alone, which are read in "
    "order of their names; patterns like 'day*/*.mp4'. Or cameras: addresses like rtsp://…, usb:0.",
)
VideosArgument = Annotated[list[str], _SOURCE]
SomeVideosArgument = Annotated[list[str] | None, _SOURCE]
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


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Where the results go, and how long cameras are recorded."""

    out: OutOption = None
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew: replace the results of these recordings in the folder.")
    ] = False
    camera: Annotated[
        str | None,
        typer.Option(
            "--camera",
            metavar="NAME",
            help="Analyse the recordings by the settings of this camera of the configuration file: its rules, region, "
            "rotation and privacy.",
        ),
    ] = None
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            metavar="N",
            min=0.1,
            help="Record cameras for so long. (default: until Ctrl-C, or until all of them end)",
        ),
    ] = None


@grouped
def run(
    *,
    videos: SomeVideosArgument = None,
    options: RunOptions,
    results: ResultOptions,
    excerpt: PartOptions,
    network: NetworkOptions,
    processes: FleetOptions,
    deployment: DeploymentOptions,
    as_json: JsonOption = False,
) -> None:
    """Analyse recordings: run every frame through the whole pipeline and write the tracks into files.

    What is finished is skipped when the same command is given again, and an interrupted run goes on.

    For each VIDEO, the folder gets NAME.tracks.jsonl (the tracks of every frame with their skeletons),
    NAME.mot.txt (MOTChallenge format), NAME.people.csv (when each person was seen, how far they walked, and the best
    picture of them in NAME.people), NAME.events.jsonl and NAME.annotated.mp4, all with final numbers; one summary.json
    covers all of them. --format csv,parquet,coco writes the tracks in other formats. A video that cannot be read is
    reported on standard error and does not stop the others; the exit code is then 1.

    Cameras and addresses are recorded as they come, for --seconds or until Ctrl-C, which completes the files; frames
    for which the machine has no time are skipped and counted. Their pictures are kept on disk until the video is drawn,
    a few hundred MB a minute; --no-video needs none of it.

    By default everything that it needs is started here and stopped at the end. With --workers 0 and --redis it uses
    the workers and trackers of a running deployment.
    """
    from posebus.runtime.failures import complain
    from recordings.continuing.folder import run_folder
    from recordings.inputs.part import WHOLE, parse_part
    from recordings.interrupts import interruptible
    from recordings.progress import progress_for
    from recordings.results.earlier_run import read_earlier_run
    from recordings.results.new_folder import discard
    from recordings.run import prepare_run, run_recordings
    from recordings.summary import FILE_NAME

    earlier = None if results.repeat is None else read_earlier_run(results.repeat)
    settings = settings_from(deployment, processes, network, earlier=None if earlier is None else earlier.settings)
    camera = None if options.camera is None else camera_of(settings, options.camera)
    sources, files = _wanted(videos or (), results, earlier, camera)
    if _are_live(sources, options.seconds, camera):
        run_cameras(settings, sources, options.out, files, seconds=options.seconds, as_json=as_json)
        return
    part = parse_part(excerpt.start, excerpt.end, excerpt.every, excerpt.max_fps)
    if earlier is not None and part == WHOLE:
        part = earlier.part
    with interruptible(), progress_for(as_json=as_json) as progress:
        request = prepare_run(
            settings, sources, files, part, complain, fresh=options.fresh, earlier=earlier, camera=camera
        )
        with run_folder(options.out, request.wishes, request.facts, fresh=options.fresh) as folder:
            summary = run_recordings(settings, request, folder, progress, complain)
    # Of a run in which nothing could be read, no folder is left behind but one that was asked for.
    kept = summary["inputs"] or options.out is not None or not discard(folder, FILE_NAME)
    print_summary(summary, summary_lines(summary, folder if kept else None), as_json=as_json)
    if summary["failed"]:
        raise typer.Exit(1)


def _wanted(
    videos: Sequence[str], results: ResultOptions, earlier: EarlierRun | None, camera: CameraOptions | None
) -> tuple[list[str], WantedFiles]:
    """Return what is analysed and which files are written, by the options and by the run that is repeated.

    Raises ConfigError.
    """
    from posebus.errors import ConfigError
    from recordings.results.formats.table import chosen
    from recordings.results.result_files import WantedFiles

    sources = list(videos)
    files = WantedFiles(results.wanted_formats, results.video, results.wants_snapshots, results.wanted_privacy)
    if camera is not None and results.privacy is None:
        files = replace(files, privacy=camera.privacy)
    if earlier is not None:
        sources = sources or list(earlier.sources)
        # What pictures show of people is not repeated: `--privacy none` is chosen anew for each run.
        given = {"formats": results.formats, "video": results.no_video, "snapshots": results.snapshots is not None}
        known = [name for name, is_given in given.items() if not is_given and name in earlier.options]
        files = replace(files, **{name: earlier.options[name] for name in known})
        files = replace(files, formats=chosen(files.formats))
    if not sources:
        raise ConfigError("no recording is given: name video files or folders of pictures, or a summary with --from")
    return sources, files


def _are_live(sources: list[str], seconds: float | None, camera: CameraOptions | None) -> bool:
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
    if live and camera is not None:
        raise ConfigError("--camera is for recordings of a camera; `posebus up` runs the cameras of the file")
    return bool(live)


def summary_lines(summary: Mapping[str, Any], out: Path | None) -> list[str]:
    """Return the summary as lines of text; `out` is the folder of the files, if there are any."""
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
    return [*lines, *last_lines(summary, "recording", out)]


def _input_line(one: Mapping[str, Any], imgsz: object) -> str:
    from posebus.telemetry.reports import size_in_words

    return (
        f"{one['name']}: {counted(one['frames'], 'frame')}, {counted(one['tracks'], 'person')}, {_throughput(one)}, "
        f"at {size_in_words(imgsz, one.get('views'))}"
    )


def _throughput(counts: Mapping[str, Any]) -> str:
    speed = counts["speed"]
    return f"{counts['fps']:.1f} frames/s" + (f" ({speed:.1f} x real time)" if speed else "")
