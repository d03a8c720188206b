"""`posebus run`: recordings through a whole deployment that lives as long as the run."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from posebus.config.cameras.camera_settings import CameraOptions
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import OutputError
from posebus.wording import counted
from recordings.analyse import Output
from recordings.continuing.book import SummaryBook
from recordings.continuing.history import SOURCES, read_history
from recordings.continuing.identity import identity_of
from recordings.continuing.plan import REMEDY, RunPlan, Wish, plan_anew, plan_run
from recordings.drawing.making import PeopleRows
from recordings.drawing.queue import DrawingQueue
from recordings.drawing.task import DrawingTask
from recordings.fleet_watch import Workers, need_workers
from recordings.inputs import WHOLE, Part, Recording, camera_settings, open_recordings, scene_fields
from recordings.inputs.listing import list_inputs
from recordings.own_fleet import analyse_with_fleet
from recordings.progress import Complain, Progress
from recordings.recording_analysis import RecordingResult
from recordings.results.claims import claimed
from recordings.results.earlier_run import EarlierRun
from recordings.results.files import make_folder
from recordings.results.formats.table import check_writable
from recordings.results.result_files import ALL_FILES, ResultFiles, WantedFiles
from recordings.results.run_facts import kept_settings, run_facts, run_of
from recordings.results.video import Style
from recordings.summary import FILE_NAME, Summary, merged, summarise, summary_name


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is to do.

    `wishes` are its inputs, of which it reads `part`, and `facts` what the results are made with (`run_facts`).
    `fresh`: it does everything anew, also what its folder holds already. `camera`: settings of the camera that made the
    recordings (see `recordings.inputs.camera_settings`).
    """

    wishes: Sequence[Wish]
    facts: Mapping[str, Any]
    files: WantedFiles = ALL_FILES
    part: Part = WHOLE
    fresh: bool = False
    camera: CameraOptions | None = None


def prepare_run(
    settings: Settings,
    arguments: Sequence[str],
    files: WantedFiles,
    part: Part,
    complain: Complain,
    *,
    fresh: bool = False,
    earlier: EarlierRun | None = None,
    camera: CameraOptions | None = None,
) -> RunRequest:
    """Find the inputs that `arguments` name, and what their results would be made with.

    `camera`: settings of the camera that made them. `earlier`: the run that is repeated, if it is one; what differs
    from it is complained about. Raises ConfigError.
    """
    check_writable(files.formats)
    need_workers(settings)
    listing = list_inputs(arguments)
    for note in listing.notes:
        complain(note)
    wishes = [Wish(one.source, one.wanted, identity_of(one.source)) for one in listing.inputs]
    facts = {"run": run_of(datetime.now(UTC), arguments, files.options()), **run_facts(settings)}
    if part != WHOLE:
        facts = {**facts, "part": part.fields()}
    if camera is None and earlier is not None:
        camera = earlier.camera
    if camera is not None:
        facts = {**facts, "camera": scene_fields(camera)}
    for difference in earlier.differences(facts) if earlier is not None else ():
        complain(difference)
    return RunRequest(wishes, facts, files, part, fresh, camera)


@dataclass(slots=True)
class RunState:
    """What a run knows so far.

    `refused` are inputs by name that failed outside the pipeline, with the error; `people` are tables of people by
    name, with the snapshots that were taken since.
    """

    plan: RunPlan
    facts: Mapping[str, Any] = field(default_factory=dict)
    recordings: list[Recording] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    results: list[RecordingResult] = field(default_factory=list)
    people: dict[str, PeopleRows] = field(default_factory=dict)
    workers: Workers = field(default_factory=Workers)
    started_at_s: float = field(default_factory=time.monotonic)

    def summary(self) -> Summary:
        """Return the content of summary.json, the inputs in the order in which they were given.

        It covers what earlier runs into the same folder have finished; `skipped` names those that this run was asked
        for as well.
        """
        spent_s = time.monotonic() - self.started_at_s
        summary = summarise(self.results, self.workers, spent_s, dict(self.refused))
        before = self.plan.before
        if before is not None and self.results:
            summary = merged(before, summary)
        elif before is not None:
            # Its times are those of recordings that were analysed at the same time.
            summary = {**before, "failed": [*before["failed"], *summary["failed"]]}
        summary["inputs"] = [
            {**entry, "people": self.people.get(entry["name"], entry.get("people", []))} for entry in summary["inputs"]
        ]
        order = {name: position for position, name in enumerate([one.name for one in self.plan.inputs])}
        for part in ("inputs", "warnings", "failed"):
            summary[part].sort(key=lambda entry: order.get(entry["name"], len(order)))
        skipped = [one.name for one in self.plan.inputs if one.done]
        return {**summary, **self.facts, "skipped": skipped, SOURCES: self.plan.sources}


def run_recordings(
    settings: Settings, request: RunRequest, folder: Path, progress: Progress, complain: Complain
) -> Summary:
    """Analyse the recordings of `request` and write their files into `folder`; returns the content of summary.json.

    What is finished there already is skipped. For a recording that cannot be used, `complain` is called; it stands
    under "failed" and does not stop the others. Raises OutputError, also rather than overwrite other results,
    ConfigError, and the errors of a broker or fleet that cannot work. On KeyboardInterrupt the children are stopped in
    order, and incomplete files keep names that end in ".partial".
    """
    make_folder(folder)
    plans: list[RunPlan] = []

    def choose(busy: frozenset[str]) -> list[str]:
        plans.append(_plan(request, folder, busy))
        return [summary_name(busy), *(one.name for one in plans[0].inputs)]

    with claimed(folder, choose) as (chosen_name, *_):
        if chosen_name != FILE_NAME:
            complain(f"another run writes into {folder}; the summary of this one is {chosen_name}")
        state = RunState(plans[0], request.facts)
        book = SummaryBook(folder, chosen_name)
        try:
            book.begin(state.summary())
            _run(settings, request, state, book, progress, complain)
        except KeyboardInterrupt:
            book.note(state.summary())
            complain(
                f"stopped; the results so far are in {folder}, files that end in .partial are incomplete; "
                "the same command goes on"
            )
            raise
        summary = state.summary()
        book.finish(summary)
        # Of other runs into the folder, the file names what failed; this one has not tried it.
        tried = {one.name for one in state.plan.inputs}
        return {**summary, "failed": [one for one in summary["failed"] if one["name"] in tried]}


def _plan(request: RunRequest, folder: Path, busy: frozenset[str]) -> RunPlan:
    if request.fresh:
        return plan_anew(request.wishes, busy)
    return plan_run(request.wishes, request.facts, read_history(folder, busy), folder, busy, _files(request, folder))


def _files(request: RunRequest, folder: Path) -> ResultFiles:
    return ResultFiles(folder, request.files.formats)


def _run(
    settings: Settings,
    request: RunRequest,
    state: RunState,
    book: SummaryBook,
    progress: Progress,
    complain: Complain,
) -> None:
    def fail(name: str, why: str) -> None:
        state.refused[name] = why
        complain(why)

    to_do = [one for one in state.plan.inputs if not one.done]
    if len(to_do) < len(state.plan.inputs):
        finished = len(state.plan.inputs) - len(to_do)
        progress.status(f"{finished} of {counted(len(state.plan.inputs), 'recording')} finished before")
    people_before = (
        {} if state.plan.before is None else {one["name"]: one.get("people", []) for one in state.plan.before["inputs"]}
    )
    with DrawingQueue(progress, fail, state.people.__setitem__) as drawing:
        pictures = MissingPictures(book.folder, request, drawing, _hid_otherwise(state.plan.before, request.files))
        for one in state.plan.inputs:
            if one.done:
                pictures.make(one.name, one.source, people_before.get(one.name, []))
        if to_do:
            progress.status("opening the recordings")
            # In a broker that is shared with others, the names of the cameras must not be in use already.
            suffix = "" if settings.redis == EMBEDDED else f"-{uuid.uuid4().hex[:8]}"
            sources, names = [one.source for one in to_do], [one.name for one in to_do]
            state.recordings, refused = open_recordings(sources, names, suffix, request.part, request.camera)
            for name, error in refused.items():
                fail(name, error)
            book.note(state.summary())
        if state.recordings:
            ready = partial(_note_workers, state, book.folder)
            output = Output(book.folder, request.files.formats, kept_settings(settings))
            results = analyse_with_fleet(settings, state.recordings, output, progress, ready, complain)
            with closing(results):
                for result in results:
                    state.results.append(result)
                    book.note(state.summary())
                    for text in filter(None, (result.error, result.warning)):
                        complain(text)
                    if result.error is None:
                        people = [person.row() for person in result.people]
                        pictures.make(result.recording.name, result.recording.source, people)
        drawing.finish()


def _hid_otherwise(before: Summary | None, wanted: WantedFiles) -> bool:
    """Return whether the pictures of the run before hide something else than is wanted now, as far as it says so."""
    options = {} if before is None else (before.get("run") or {}).get("options", {})
    return str(options.get("privacy", wanted.privacy)) != wanted.privacy


@dataclass(frozen=True, slots=True)
class MissingPictures:
    """Makes the videos and snapshots of a run that are wanted and missing.

    `others_privacy`: those that exist hide something else than is wanted now, so they are made anew.
    """

    folder: Path
    request: RunRequest
    queue: DrawingQueue
    others_privacy: bool = False

    def make(self, name: str, source: str, people: PeopleRows) -> None:
        """Make those of a recording whose tracks are complete; `people` is the table of its people."""
        files = _files(self.request, self.folder)
        wanted = self.request.files
        anew = self.request.fresh or self.others_privacy
        video = wanted.video and (anew or not files.drawn(name))
        snapshots = wanted.snapshots and bool(people) and (anew or not any(person["snapshot"] for person in people))
        if video or snapshots:
            settings = camera_settings(source, self.request.part, self.request.camera)
            tracks, style = files.tracks(name), Style(privacy=wanted.privacy)
            self.queue.add(DrawingTask(name, settings, tracks, self.folder, style, video, snapshots))


def _note_workers(state: RunState, folder: Path, found: Workers) -> None:
    """Note how the workers are set up. Raises OutputError if the results so far are of another engine."""
    state.workers = found
    for what in ("engine", "precision"):
        before = None if state.plan.before is None else state.plan.before[what]
        now = getattr(found, what)
        if before is not None and now is not None and before != now:
            raise OutputError(
                f"{folder} holds results of the {what} {before}, and this run would use {now}: "
                f"choose it with --{what}, {REMEDY}"
            )
