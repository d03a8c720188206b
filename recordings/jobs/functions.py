"""The functions that a job may run, apart from the queue; their options are data and are checked where the job runs.

Anyone who can write to the broker can write a job. So a job names one of `FUNCTIONS`, never code to import.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.cameras.privacy import HEADS, Privacy
from posebus.config.redaction import redact_url
from posebus.config.settings import Settings
from posebus.errors import ConfigError, OutputError, PoseBusError, SourceRejected
from posebus.plain_text import plain
from posebus.runtime.failures import in_one_sentence
from recordings.analyse import Output, RunContext, analyse, forget
from recordings.fleet_watch import FLEET_PATIENCE_S, FleetWatch, Workers, workers
from recordings.inputs import WHOLE, Part, camera_names, open_recording
from recordings.inputs.part import check_part
from recordings.progress import Progress
from recordings.results.claims import claimed
from recordings.results.files import make_folder
from recordings.results.formats.table import STANDARD, check_writable, chosen
from recordings.results.result_files import ResultFiles
from recordings.results.run_facts import versions
from recordings.summary import Summary, add_to_summary, summarise

LONGEST_PATIENCE_S = 86_400.0
MAX_PROBLEM = 200


class RecordingOptions(BaseModel):
    """The options of `analyse_recording`. `name` names the files; jobs submitted together have the same `batch`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    video: str = Field(description="A path that is readable where the job runs")
    out: str = Field(description="The folder for the files, where the job runs")
    name: str = Field(pattern=r"^[^/\x00]+$")
    batch: str
    draw: bool = True
    snapshots: bool = True
    privacy: Privacy = HEADS
    formats: tuple[str, ...] = Field(default=STANDARD, description="Formats, as of `posebus run --format`")
    part: Part = WHOLE
    fleet_patience_s: float = Field(default=FLEET_PATIENCE_S, ge=0, le=LONGEST_PATIENCE_S, allow_inf_nan=False)

    @field_validator("part")
    @classmethod
    def _check_part(cls, part: Part) -> Part:
        check_part(part)
        return part


def analyse_recording(raw_options: object, settings: Settings, run_id: str, progress: Progress) -> Summary:
    """Analyse one recording with the fleet of `settings.redis`; writes the same files as `posebus run`.

    `run_id` becomes part of the camera's name. Jobs with the same `batch` and folder share one summary.
    Raises PoseBusError with a sentence; the summary has a recording that failed, too.
    """
    options = _options(raw_options)
    folder = Path(options.out)
    check_writable(chosen(options.formats))
    make_folder(folder)
    with claimed(folder, lambda used: [_unclaimed(options, used)]):
        return _analyse(options, settings, run_id, progress)


def _analyse(options: RecordingOptions, settings: Settings, run_id: str, progress: Progress) -> Summary:
    folder = Path(options.out)
    started_at_s = time.monotonic()
    fleet_workers = Workers()
    try:
        progress.status("opening the recording")
        recording = open_recording(options.video, options.name, job_camera(options.name, run_id), options.part)
        results = []
        broker = open_broker(settings.redis, settings.shards)
        progress.status("waiting for workers and trackers")
        watch = FleetWatch(Registry(broker), broker.where, options.fleet_patience_s)
        watch.wait()
        fleet_workers = workers(Registry(broker))
        try:
            context = RunContext(settings, broker, Output(folder, chosen(options.formats)), watch, fleet_workers)
            with closing(analyse([recording], context, progress)) as analysed:
                results = list(analysed)
        finally:
            forget(broker, [recording.camera])
        for result in results:
            if result.error is not None:
                raise SourceRejected(result.error)
        if options.draw or options.snapshots:
            from recordings.results.people.pictures import Pictures  # only here: submitting needs no video library
            from recordings.results.video import Style

            jsonl = ResultFiles(folder).tracks(options.name)
            style = Style(privacy=options.privacy)
            made = Pictures(folder, options.name, jsonl, options.draw, options.snapshots, style)
            people = [made.make(recording.settings, result.people, progress) for result in results]
            results = [replace(result, people=of_one) for result, of_one in zip(results, people, strict=True)]
    except Exception as error:
        sentence = in_one_sentence(error, about=redact_url(options.video))
        failed = summarise([], fleet_workers, time.monotonic() - started_at_s, {options.name: sentence})
        add_to_summary(folder, {**failed, "versions": versions()}, options.batch)
        if isinstance(error, PoseBusError):
            raise
        raise SourceRejected(sentence) from error
    summary = {**summarise(results, fleet_workers, time.monotonic() - started_at_s, {}), "versions": versions()}
    add_to_summary(folder, summary, options.batch)
    return summary


def _unclaimed(options: RecordingOptions, used: frozenset[str]) -> str:
    if options.name in used:
        raise OutputError(
            f"files called {options.name} are being written into {options.out} by another run: submit the job again "
            "when it has ended, or choose another folder with --out"
        )
    return options.name


Function = Callable[[object, Settings, str, Progress], Summary]

ANALYSE_RECORDING = "recordings.jobs.analyse_recording"
"""A name in the queue, and no path of imports: jobs that were submitted by an older release have it as well."""

FUNCTIONS: Mapping[str, Function] = MappingProxyType({ANALYSE_RECORDING: analyse_recording})
"""The functions that a job may run, by the name in the job."""


def forget_recording(raw_options: object, settings: Settings, run_id: str) -> None:
    """Remove from the broker what a killed job left there. Raises PoseBusError."""
    options = _options(raw_options)
    forget(open_broker(settings.redis, settings.shards), [job_camera(options.name, run_id)])


def job_camera(name: str, run_id: str) -> str:
    """Return the camera of a job, which follows from the job's name and id; no other job has it."""
    return camera_names([name], f"-{run_id[:12]}")[0]


def _options(raw: object) -> RecordingOptions:
    try:
        return RecordingOptions.model_validate(raw)
    except ValidationError as error:
        first: Any = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "options"
        problem = plain(f"{field}: {first['msg']}", MAX_PROBLEM)
        raise ConfigError(f"the job's options cannot be used: {problem}") from None
