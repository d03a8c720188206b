"""`posebus rules test`: what the rules of a camera would have fired over a recording, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.plain_text import plain, plain_json
from posebus.wording import counted
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import ConfigOnly, JsonOption, NetworkOptions
from posebus_cli.options.settings import camera_of, settings_from

if TYPE_CHECKING:
    from posebus.config.settings import CameraSettings, Settings
    from posebus.messages import Event

FOLDER = "posebus-rules"


@dataclass(frozen=True, slots=True)
class _Tested:
    """The tracks of a recording, and the recording itself where it is known, by the settings of its camera."""

    tracks: Path
    source: CameraSettings | None


@grouped
def try_out(
    source: Annotated[
        str,
        typer.Argument(
            metavar="VIDEO|TRACKS",
            help="A recording, which is analysed first; or NAME.tracks.jsonl of an earlier run, which takes seconds.",
        ),
    ],
    *,
    deployment: ConfigOnly,
    camera: Annotated[
        str, typer.Option("--camera", metavar="NAME", help="The camera of the configuration whose rules are tried.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Folder for the pictures and, of a video, for its tracks. (default: a new one, posebus-rules, "
            "posebus-rules-2, …; with --json none)",
        ),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option("--recording", metavar="FILE", help="Of TRACKS: the recording, for the pictures of the events."),
    ] = None,
    network: NetworkOptions,
    as_json: JsonOption = False,
) -> None:
    """Show what the rules of a camera would have fired over a recording: each event with its time, and a picture of it.

    A video is analysed once; with the same --out, later calls use its tracks, so that rules can be changed and tried
    again in seconds. The events are those that 'posebus run VIDEO -c FILE --camera NAME' writes.

    With --json the events are printed, one a line.
    """
    from posebus.errors import ConfigError
    from recordings.interrupts import interruptible
    from recordings.progress import progress_for
    from recordings.rules.event_pictures import picture_events

    settings = settings_from(deployment, network)
    chosen = camera_of(settings, camera)
    if not chosen.rules:
        raise ConfigError(f"the camera {camera} has no rules: write some under cameras.{camera}.rules")
    with interruptible(), _folder(out, wanted=not as_json) as folder:
        tested = _tracks(settings, chosen, source, folder, recording)
        events = _events(tested.tracks, chosen)
        pictures: dict[str, Path] = {}
        if tested.source is not None and events and (out is not None or not as_json):
            with progress_for(as_json=as_json) as progress:
                pictures = picture_events(tested.source, tested.tracks, events, folder / "events", progress)
    if as_json:
        _print_json(events)
    else:
        _print_text(events, list(chosen.rules), pictures)


def _events(tracks: Path, camera: CameraSettings) -> list[Event]:
    """Return the events of the camera's rules over saved tracks. Raises PoseBusError."""
    from posebus.config.rules.reading import rules_to_json
    from recordings.rules.replay import NO_CUTS, replayed, saved_cuts, saved_frames

    cuts = saved_cuts(tracks)
    events = list(replayed(saved_frames(tracks), rules_to_json(camera.rules), NO_CUTS if cuts is None else cuts))
    if cuts is None:
        note = f"note: {tracks} has no file of events beside it, so cuts between shots are not known"
        typer.echo(plain(note), err=True)
    return events


@contextmanager
def _folder(out: Path | None, *, wanted: bool) -> Iterator[Path]:
    """Return the folder of the command: the chosen one, a new one that stays, or one that is deleted afterwards."""
    from posebus.machine.scratch import ScratchFolder
    from recordings.results.files import make_folder
    from recordings.results.new_folder import results_folder

    if out is not None:
        make_folder(out)
        yield out
    elif wanted:
        with results_folder(None, FOLDER) as folder:
            yield folder
    else:
        with ScratchFolder() as folder:
            yield folder


def _tracks(settings: Settings, camera: CameraSettings, source: str, folder: Path, recording: Path | None) -> _Tested:
    """Return the tracks of `source`; a video is analysed for them. Raises PoseBusError."""
    from posebus.errors import ConfigError, SourceRejected
    from recordings.inputs import camera_settings, open_recording

    if source.endswith(".jsonl"):
        if not Path(source).is_file():
            raise ConfigError(f"there is no file {source}: give a recording, or NAME.tracks.jsonl of a `posebus run`")
        return _Tested(Path(source), None if recording is None else camera_settings(str(recording), options=camera))
    if recording is not None:
        raise ConfigError("--recording is for saved tracks, and the first argument is a recording itself")
    if Path(source).is_file():
        open_recording(source, "recording", "recording", options=camera)  # raises for rules that do not fit its picture
    name = _analysed(settings, camera, source, folder)
    tracks = folder / f"{name}.tracks.jsonl"
    if not tracks.is_file():
        raise SourceRejected(f"{tracks} is not there: {source} was not analysed")
    return _Tested(tracks, camera_settings(source, options=camera))


def _analysed(settings: Settings, camera: CameraSettings, source: str, folder: Path) -> str:
    """Analyse the recording, unless `folder` has its tracks; returns its name. Raises PoseBusError."""
    from posebus.errors import ConfigError, SourceRejected
    from posebus.runtime.failures import complain
    from recordings.inputs.part import WHOLE
    from recordings.progress import progress_for
    from recordings.results.result_files import WantedFiles
    from recordings.run import prepare_run, run_recordings

    # Without the rules: they change nothing about the tracks, which stay as they are when the rules change.
    without_rules = camera.model_copy(update={"rules": {}})
    files = WantedFiles(("jsonl",), video=False, snapshots=False)
    with progress_for(as_json=False) as progress:
        request = prepare_run(settings, [source], files, WHOLE, complain, camera=without_rules)
        if len(request.wishes) != 1:
            raise ConfigError(f"{source} holds {counted(len(request.wishes), 'recording')}: give one")
        summary = run_recordings(settings, request, folder, progress, complain)
    if summary["failed"]:
        raise SourceRejected(f"{source} was not analysed; the reason is above")
    return str(summary["inputs"][0]["name"])


def _print_json(events: Sequence[Event]) -> None:
    from posebus.contract.public_json import dump, event_to_json

    for event in events:
        print(plain_json(dump(event_to_json(event))))


def _print_text(events: Sequence[Event], rules: Sequence[str], pictures: dict[str, Path]) -> None:
    from posebus.wording import clock_text
    from posebus_cli.observe.event_text import event_text

    for event in events:
        picture = pictures.get(event.id)
        print(plain(f"{clock_text(event.time_ns)}  {event_text(event)}" + (f"  {picture}" if picture else "")))
    counts = Counter(str(event.data["rule"]) for event in events)
    totals = ", ".join(f"{rule} {counts[rule]}" for rule in rules)
    print(plain(f"{counted(len(events), 'event')}: {totals}"))
