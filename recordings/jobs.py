"""What a job of the queue may do, without the queue: its options are data, checked again where it runs.

Whoever can write to the broker can write a job. So a job names one of `FUNCTIONS`, never code to import.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import Settings
from posebus.errors import ConfigError, PoseBusError, SourceRejected
from recordings.analyse import RunContext, analyse, forget
from recordings.fleet_watch import FleetWatch, Workers, workers
from recordings.inputs import Recording, camera_names, camera_settings, look_at
from recordings.progress import Progress
from recordings.results.files import make_folder
from recordings.results.summary import Summary, add_to_summary, summarise

FLEET_PATIENCE_S = 30.0


class RecordingOptions(BaseModel):
    """What `analyse_recording` is told. Files are called `name`; `batch` is shared by jobs submitted together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    video: str = Field(description="A path that is readable where the job runs")
    out: str = Field(description="The folder for the files, where the job runs")
    name: str = Field(pattern=r"^[^/\x00]+$")
    batch: str
    draw: bool = True
    fleet_patience_s: float = Field(default=FLEET_PATIENCE_S, ge=0)


def analyse_recording(raw_options: object, settings: Settings, run_id: str, progress: Progress) -> Summary:
    """Feed one recording to the fleet of `settings.redis` and leave the same files as `posebus run`.

    `run_id` becomes part of the camera's name. The summary of jobs with the same `batch` and folder is one file.
    Raises PoseBusError with a sentence; a recording that failed stands in the summary as well.
    """
    options = _options(raw_options)
    folder = Path(options.out)
    make_folder(folder)
    began_at_s = time.monotonic()
    found = Workers()
    try:
        progress.say("looking at the recording")
        recording = look_at(options.video, options.name, job_camera(options.name, run_id))
        outcomes = []
        broker = open_broker(settings.redis, settings.shards)
        progress.say("waiting for workers and trackers")
        watch = FleetWatch(Registry(broker), broker.where, options.fleet_patience_s)
        watch.wait()
        found = workers(Registry(broker))
        try:
            with closing(analyse([recording], RunContext(settings, broker, folder, watch), progress)) as analysed:
                outcomes = list(analysed)
        finally:
            forget(broker, [recording])
        for outcome in outcomes:
            if outcome.error is not None:
                raise SourceRejected(outcome.error)
        if options.draw:
            from recordings.results.video import annotate  # only here: whoever submits needs no video library

            annotate(camera_settings(options.video), folder / f"{options.name}.tracks.jsonl", options.name, progress)
    except PoseBusError as error:
        failed = summarise([], found, time.monotonic() - began_at_s, {options.name: str(error)})
        add_to_summary(folder, failed, options.batch)
        raise
    summary = summarise(outcomes, found, time.monotonic() - began_at_s, {})
    add_to_summary(folder, summary, options.batch)
    return summary


Function = Callable[[object, Settings, str, Progress], Summary]

FUNCTIONS: Mapping[str, Function] = MappingProxyType({"recordings.jobs.analyse_recording": analyse_recording})
"""All that a job may ask for, by the name that stands in the job."""


def forget_recording(raw_options: object, settings: Settings, run_id: str) -> None:
    """Remove what a job that was killed left in the broker. Raises PoseBusError."""
    options = _options(raw_options)
    recording = Recording(options.video, options.name, job_camera(options.name, run_id), (1, 1), None)
    forget(open_broker(settings.redis, settings.shards), [recording])


def job_camera(name: str, run_id: str) -> str:
    """The camera of a job: no other job has it, and whoever knows the job knows its camera."""
    return camera_names([name], f"-{run_id[:12]}")[0]


def _options(raw: object) -> RecordingOptions:
    try:
        return RecordingOptions.model_validate(raw)
    except ValidationError as error:
        first: Any = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "options"
        raise ConfigError(f"the job's options cannot be used: {field}: {first['msg']}") from None
