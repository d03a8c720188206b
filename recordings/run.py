"""`posebus run`: recordings through a whole deployment that lives as long as the run."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.redaction import redact_url
from posebus.config.settings import EMBEDDED, Settings
from posebus.errors import ConfigError, PoseBusError
from posebus.runtime.embedded import broker_for
from posebus.runtime.failures import in_one_sentence
from posebus.runtime.fleet import Fleet
from posebus.runtime.shared_frames import BYTES_PER_PIXEL, shared_folder
from recordings.analyse import AT_ONCE, RunContext, analyse, forget
from recordings.fleet_watch import FRAMES_WANTED, FleetWatch, Workers, watch_own, workers
from recordings.inputs import Recording, camera_settings, file_names, open_recordings
from recordings.progress import Progress
from recordings.recording_analysis import RecordingResult
from recordings.results.claims import claimed
from recordings.results.earlier_run import EarlierRun
from recordings.results.files import make_folder, writing
from recordings.results.formats.table import STANDARD, check_writable
from recordings.results.people.pictures import Pictures
from recordings.results.run_facts import kept_settings, run_facts, run_of
from recordings.stages import STAGES
from recordings.summary import FILE_NAME, Summary, summarise, write_partial_summary, write_summary

FLEET_PATIENCE_S = 30.0
MAX_WARM_UPS = 8
"""Picture sizes for which the engine is warmed up; with more, loading would take longer than that saves."""

Complain = Callable[[object], None]
"""Called with each problem that does not end the run."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is to do. `sources` are files or folders of pictures; all files are written into `folder`.

    `formats` are those of the tracks, by the names in `recordings.results.formats.table`. `snapshots`: of each person.
    `earlier`: the run that is repeated, if it is one; what differs from it is complained about.
    """

    sources: Sequence[str]
    folder: Path
    video: bool = True
    formats: Sequence[str] = STANDARD
    snapshots: bool = True
    earlier: EarlierRun | None = None

    def options(self) -> dict[str, Any]:
        """Return what decides about the files beside sources, folder and settings: JSON, by the names of the fields."""
        left_out = {"sources", "folder", "earlier"}
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in left_out}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class _Names:
    """The names that this run has taken: the path of its summary, and a name for the files of each input."""

    summary: Path
    inputs: Sequence[str]


@dataclass(slots=True)
class RunState:
    """What a run knows so far.

    `refused` are inputs by name that failed outside the pipeline, with the error. `facts` are those of `run_facts`.
    """

    recordings: list[Recording] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    results: list[RecordingResult] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    workers: Workers = field(default_factory=Workers)
    started_at_s: float = field(default_factory=time.monotonic)

    def summary(self) -> Summary:
        """Return the content of summary.json, the inputs in the order in which they were given."""
        order = {recording.name: position for position, recording in enumerate(self.recordings)}
        results = sorted(self.results, key=lambda result: order[result.recording.name])
        return {**summarise(results, self.workers, time.monotonic() - self.started_at_s, self.refused), **self.facts}


def run_recordings(settings: Settings, request: RunRequest, progress: Progress, complain: Complain) -> Summary:
    """Analyse the recordings of `request` and write their files; returns the content of summary.json.

    For a recording that cannot be used, `complain` is called; it stands under "failed" and does not stop the others.
    Raises OutputError, ConfigError, and the errors of a broker or fleet that cannot work. On KeyboardInterrupt the
    children are stopped in order, and incomplete files keep names that end in ".partial".
    """
    if settings.fleet.workers == 0 and settings.redis == EMBEDDED:
        raise ConfigError(
            "a run with --workers 0 needs the workers of a running deployment: give its broker with --redis URL"
        )
    check_writable(request.formats)
    make_folder(request.folder)
    with claimed(request.folder, lambda used: _names(request, used)) as (summary_name, *names):
        if summary_name != FILE_NAME:
            complain(f"another run writes into {request.folder}; the summary of this one is {summary_name}")
        return _run(settings, request, _Names(request.folder / summary_name, names), progress, complain)


def _run(settings: Settings, request: RunRequest, names: _Names, progress: Progress, complain: Complain) -> Summary:
    own_broker = settings.redis == EMBEDDED
    with writing(names.summary):
        # The summary of an earlier run would describe other files than those of this one.
        names.summary.unlink(missing_ok=True)
    progress.status("opening the recordings")
    state = RunState(
        facts={"run": run_of(datetime.now(UTC), request.sources, request.options()), **run_facts(settings)}
    )
    for difference in request.earlier.differences(state.facts) if request.earlier is not None else ():
        complain(difference)
    try:
        # In a broker that is shared with others, the names of the cameras must not be in use already.
        suffix = "" if own_broker else f"-{uuid.uuid4().hex[:8]}"
        state.recordings, state.refused = open_recordings(request.sources, names.inputs, suffix)
        for error in state.refused.values():
            complain(error)
        if state.recordings:
            with broker_for(settings.redis) as url, _shared_memory(settings, state.recordings) as folder:
                _analyse(state, _fleet_settings(settings, url, state.recordings, folder), request, progress, complain)
        draw_videos(state, request, progress, complain)
    except KeyboardInterrupt:
        write_partial_summary(names.summary, state.summary())
        complain(f"stopped; the results so far are in {request.folder}, files that end in .partial are incomplete")
        raise
    summary = state.summary()
    write_summary(names.summary, summary)
    return summary


def _names(request: RunRequest, used: frozenset[str]) -> list[str]:
    """Return the name of the summary and those of the inputs, none of them among `used`."""
    path = Path(FILE_NAME)
    numbered = (f"{path.stem}-{number}{path.suffix}" for number in count(2))
    summary = next(name for name in chain([FILE_NAME], numbered) if name not in used)
    return [summary, *file_names(request.sources, used)]


def _shared_memory(settings: Settings, recordings: Sequence[Recording]) -> AbstractContextManager[Path | None]:
    """Return a folder for uncompressed pictures if all processes that need them run on this machine."""
    from ingest.sources import reduced_size_px

    if settings.redis != EMBEDDED or settings.shared_frames is not None:
        return nullcontext(settings.shared_frames)
    sizes_px = [reduced_size_px(recording.size_px, settings.worker.largest_imgsz) for recording in recordings]
    largest_bytes = max(width * height * BYTES_PER_PIXEL for width, height in sizes_px)
    frames = max(FRAMES_WANTED.values()) * settings.fleet.workers
    return shared_folder(largest_bytes * frames * min(AT_ONCE, len(recordings)))


def _fleet_settings(settings: Settings, url: str, recordings: Sequence[Recording], shared: Path | None) -> Settings:
    """Return the settings of workers and trackers at `url`, whose engine is warmed up for the recordings' sizes."""
    sizes_px = tuple(dict.fromkeys(recording.size_px for recording in recordings))[:MAX_WARM_UPS]
    return settings.model_copy(
        update={
            "redis": url,
            "cameras": {},
            "shared_frames": shared,
            # Information from the stages would break up the progress bars; warnings must be shown.
            "log_level": "warning",
            # Full batches, so that the result of a frame does not depend on the frames beside it.
            "worker": settings.worker.model_copy(update={"warm_up_px": sizes_px, "fixed_batch": True}),
        }
    )


def _analyse(state: RunState, settings: Settings, request: RunRequest, progress: Progress, complain: Complain) -> None:
    broker = open_broker(settings.redis, settings.shards)
    try:
        with Fleet(settings, broker, STAGES) as fleet:
            watch = _wait_for_fleet(fleet, settings, broker, progress)
            state.workers = workers(Registry(broker))
            context = RunContext(
                settings=settings,
                broker=broker,
                folder=request.folder,
                watch=watch,
                workers=state.workers,
                formats=request.formats,
                chosen=kept_settings(settings),
            )
            with closing(analyse(state.recordings, context, progress)) as results:
                for result in results:
                    state.results.append(result)
                    for text in filter(None, (result.error, result.warning)):
                        complain(text)
    finally:
        _forget(broker, state.recordings, complain)


def _wait_for_fleet(fleet: Fleet, settings: Settings, broker: Broker, progress: Progress) -> Callable[[float], None]:
    """Wait until workers and trackers are ready, our own or those of the broker; returns the watch over them."""
    if settings.fleet.workers:
        watch = watch_own(fleet)
        progress.status("loading the network (the first time it is exported, which takes longer)")
        fleet.start_trackers()
        fleet.start_workers()
        fleet.wait_until_ready(lambda ready, wanted: watch(time.monotonic()))
        return watch
    progress.status(f"waiting for workers and trackers at {broker.where}")
    others = FleetWatch(Registry(broker), broker.where, FLEET_PATIENCE_S)
    others.wait()
    return others


def _forget(broker: Broker, recordings: Sequence[Recording], complain: Complain) -> None:
    try:
        forget(broker, recordings)
    except PoseBusError as error:
        complain(f"the streams of this run could not be removed from the broker: {error}")


def draw_videos(state: RunState, request: RunRequest, progress: Progress, complain: Complain) -> None:
    """Draw one video after the other, and take the snapshots, now that inference no longer needs the processors."""
    for index, result in enumerate(state.results):
        if result.error is not None or not (request.video or request.snapshots):
            continue
        name, source = result.recording.name, result.recording.source
        try:
            made = Pictures(request.folder, name, request.video, request.snapshots)
            people = made.make(camera_settings(source), result.people, progress)
        except Exception as error:  # noqa: BLE001 - the other videos are drawn all the same
            state.refused[name] = in_one_sentence(error, about=redact_url(source))
            complain(state.refused[name])
        else:
            state.results[index] = replace(result, people=people)
