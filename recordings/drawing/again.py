"""Drawing the videos of finished recordings again, from their tracks and sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posebus.config.cameras.camera_settings import CameraOptions
from posebus.errors import ConfigError, OutputError, PoseBusError, SourceRejected
from recordings.continuing.history import History, read_history
from recordings.continuing.identity import identity_of
from recordings.drawing.queue import DrawingQueue, OnFailure
from recordings.drawing.task import DrawingTask
from recordings.inputs import Part, camera_settings, scene_of
from recordings.inputs.part import part_of
from recordings.progress import Progress
from recordings.results.claims import claimed
from recordings.results.files import make_folder
from recordings.results.result_files import ResultFiles
from recordings.results.video import PLAIN, Style

NAMED = 5


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """What to draw: `names` of `results` (none: all), into the folder `target`.

    `moved` is where the recordings are now, if not where they were analysed: a folder, or the file of a single one.
    """

    results: Path
    names: Sequence[str]
    target: Path
    moved: Path | None = None
    style: Style = PLAIN


def draw_again(request: DrawRequest, progress: Progress, on_failure: OnFailure) -> list[str]:
    """Draw the videos of `request`; returns the names of those that were drawn.

    Calls `on_failure` for each that cannot be. Raises ConfigError for a folder without results or a name that is not in
    it, and OutputError.
    """
    history = read_history(request.results, frozenset())
    names = _chosen(request, history)
    make_folder(request.target)
    failed: set[str] = set()

    def fail(name: str, why: str) -> None:
        failed.add(name)
        on_failure(name, why)

    with ExitStack() as stack:
        stack.enter_context(claimed(request.target, lambda used: _unclaimed(names, used, request.target)))
        queue = stack.enter_context(DrawingQueue(progress, fail))
        for name in names:
            try:
                queue.add(_task(name, request, history))
            except PoseBusError as error:
                fail(name, str(error))
        queue.finish()
    return [name for name in names if name not in failed]


def _chosen(request: DrawRequest, history: History) -> list[str]:
    known = [] if history.done is None else [str(entry["name"]) for entry in history.done["inputs"]]
    if not known:
        raise ConfigError(
            f"{request.results} holds no results of recordings with a summary.json: give the folder of a `posebus run`"
        )
    for name in request.names:
        if name not in known:
            more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
            raise ConfigError(
                f"{request.results} holds no finished recording called {name}; it has {', '.join(known[:NAMED])}{more}"
            )
    return list(dict.fromkeys(request.names)) or known


def _unclaimed(names: Sequence[str], used: frozenset[str], target: Path) -> Sequence[str]:
    for name in names:
        if name in used:
            raise OutputError(
                f"files called {name} are being written into {target} by a run: wait until it has ended, or choose "
                "another folder with --out"
            )
    return names


def _task(name: str, request: DrawRequest, history: History) -> DrawingTask:
    """Return how to draw a recording. Raises SourceRejected if its source is gone or another one now."""
    assert history.done is not None
    entry = next(entry for entry in history.done["inputs"] if entry["name"] == name)
    files = ResultFiles(request.results)
    if not files.tracks(name).is_file():
        raise SourceRejected(f"the tracks of {name} are gone: {files.tracks(name)} is not there")
    identity = history.sources.get(name, {})
    before = Path(str(identity.get("path") or entry["source"]["path"]))
    source = before if request.moved is None else _moved(before, request.moved, single=len(request.names) == 1)
    if not source.exists():
        raise SourceRejected(f"{source}, from which {name} was made, is gone: say where it is now with --source")
    # A copy has another time of change, so only the size tells whether a recording that moved is the same.
    told = ("bytes", "files") if request.moved is not None else ("bytes", "files", "modified_ns")
    now = identity_of(str(source))
    if any(field in identity and identity[field] != now.get(field) for field in told):
        raise SourceRejected(
            f"{source} has changed since {name} was made from it, so its tracks may not fit: run it again with "
            "`posebus run --fresh`"
        )
    settings = camera_settings(str(source), _part(history.done), _camera(history.done))
    return DrawingTask(name, settings, files.tracks(name), request.target, request.style)


def _moved(before: Path, now: Path, *, single: bool) -> Path:
    """Return the new place of a recording: `now` itself, or below it, with as many of its former folders as fit."""
    if single and not (now.is_dir() and not before.is_dir() and (now / before.name).exists()):
        return now
    parts = before.parts
    places = [now.joinpath(*parts[index:]) for index in range(1, len(parts))]
    return next((place for place in places if place.exists()), now / before.name)


def _part(summary: Mapping[str, Any]) -> Part:
    try:
        return part_of(summary.get("part"))
    except (TypeError, ValueError):
        raise ConfigError(
            "summary.json does not say which part of the recordings was read: it has been changed"
        ) from None


def _camera(summary: Mapping[str, Any]) -> CameraOptions | None:
    """Return the settings of the camera whose recordings they are: without them, its zones would not be hidden."""
    try:
        return scene_of(summary.get("camera"))
    except ValueError:
        raise ConfigError(
            "summary.json does not say how pictures of the camera are turned and hidden: it has been changed"
        ) from None
