"""`posebus submit`: put recordings into the queue of `posebus jobs work`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.config.broker_address import default_address
from posebus.plain_text import plain, plain_json
from posebus_cli.analyse.run import VideosArgument
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption, PartOptions
from posebus_cli.options.results import ResultOptions
from posebus_cli.options.settings import settings_at_broker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rq.job import Job

    from recordings.inputs.listing import Listed


@grouped
def submit(
    videos: VideosArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Folder for the files; created if missing. (default: a new folder, posebus-out or posebus-out-2, …)",
        ),
    ] = None,
    *,
    excerpt: PartOptions,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace results of the same names in the folder.")] = False,
    deployment: DeploymentOptions,
    results: Annotated[ResultOptions, Offer(without=("repeat",))],
    as_json: JsonOption = False,
) -> None:
    """Submit recordings to the job queue, one job for each, and return at once.

    The queue is in the broker of 'posebus up', or in the one at --redis. 'posebus jobs work' runs the jobs with the
    workers and trackers of the same broker; the folder gets the same files as with 'posebus run'. If it runs on another
    machine, the paths of VIDEO and DIR must be the same there.
    """
    from posebus_cli.analyse.jobs import queue_broker
    from recordings.inputs.part import parse_part
    from recordings.jobs.queue import submit as enqueue
    from recordings.results.files import make_folder
    from recordings.results.new_folder import new_folder
    from recordings.results.result_files import WantedFiles

    settings = settings_at_broker(deployment)
    files = WantedFiles(results.wanted_formats, results.video, results.wants_snapshots, results.wanted_privacy)
    broker = queue_broker(settings)
    part = parse_part(excerpt.start, excerpt.end, excerpt.every, excerpt.max_fps)
    folder = out or new_folder()
    make_folder(folder)
    accepted, refused = _accepted(videos, folder, fresh=fresh)
    sources, names = [one.source for one in accepted], [one.wanted for one in accepted]
    with broker.errors():
        jobs = enqueue(
            broker.client,
            sources,
            folder,
            files,
            names=names,
            part=part,
        )
    _show(jobs, sources, folder, as_json=as_json)
    if jobs and not as_json:
        print(f"run the jobs with: posebus jobs work{_redis_option(settings.redis, broker.where)}")
    if refused:
        raise typer.Exit(1)


def _show(jobs: Sequence[Job], sources: Sequence[str], folder: Path, *, as_json: bool) -> None:
    if as_json:
        listed = [
            {"job": job.id, "video": video, "name": job.meta["name"], "out": str(folder)}
            for job, video in zip(jobs, sources, strict=True)
        ]
        print(plain_json(json.dumps(listed, indent=2, ensure_ascii=False)))
        return
    for job, video in zip(jobs, sources, strict=True):
        print(f"{plain(video)}: job {job.id}")
    if jobs:
        print(f"files, once the jobs are done: {folder}")


def _accepted(videos: Sequence[str], folder: Path, *, fresh: bool) -> tuple[list[Listed], int]:
    """Return the recordings that can become jobs, named for their files, and how many cannot (each is reported)."""
    from posebus.runtime.failures import complain
    from recordings.continuing.history import would_overwrite
    from recordings.inputs.listing import Listed, list_inputs
    from recordings.inputs.names import unique_names

    listing = list_inputs(videos)
    for note in listing.notes:
        complain(note)
    accepted = []
    for one, name in zip(listing.inputs, unique_names([one.wanted for one in listing.inputs]), strict=True):
        problem = _problem(one.source) or (None if fresh else would_overwrite(folder, name))
        if problem is None:
            accepted.append(Listed(one.source, name))
        else:
            complain(problem)
    return accepted, len(listing.inputs) - len(accepted)


def _redis_option(url: str, where: str) -> str:
    """Return the option by which another command finds this broker. A password in its address is not shown."""
    return "" if url == default_address(os.environ) else f" --redis {where}"


def _problem(video: str) -> str | None:
    """Return what is wrong with a path, as far as it shows without decoding; the job checks it again."""
    from posebus.config.local_files import check_readable, is_folder, local_path
    from posebus.errors import SourceRejected

    try:
        path = local_path(video)
        if not is_folder(path):
            check_readable(path)
        elif not any(path.iterdir()):
            return f"the folder {video} is empty"
    except SourceRejected as error:
        return str(error)
    except OSError as error:
        return f"the folder {video} cannot be read: {error.strerror}"
    return None
