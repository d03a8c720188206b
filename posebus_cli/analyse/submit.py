"""`posebus submit`: put recordings into the queue of `posebus jobs work`."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from posebus.config.broker_address import default_address
from posebus.plain_text import plain, plain_json
from posebus_cli.analyse.run import OutOption, VideosArgument
from posebus_cli.options.grouping import Offer, grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.results import ResultOptions
from posebus_cli.options.settings import settings_at_broker


@grouped
def submit(
    videos: VideosArgument,
    out: OutOption = None,
    *,
    deployment: DeploymentOptions,
    results: Annotated[ResultOptions, Offer(without=("repeat",))],
    as_json: JsonOption = False,
) -> None:
    """Submit recordings to the job queue, one job for each, and return at once.

    The queue is in the broker of 'posebus up', or in the one at --redis. 'posebus jobs work' runs the jobs with the
    workers and trackers of the same broker; the folder gets the same files as with 'posebus run'. If it runs on another
    machine, the paths of VIDEO and DIR must be the same there.
    """
    from posebus.runtime.failures import complain
    from posebus_cli.analyse.jobs import queue_broker
    from recordings.jobs.queue import submit as enqueue
    from recordings.results.files import make_folder
    from recordings.results.new_folder import new_folder

    settings = settings_at_broker(deployment)
    formats = results.wanted_formats
    broker = queue_broker(settings)
    folder = out or new_folder()
    make_folder(folder)
    problems = {video: problem for video in videos if (problem := _problem(video)) is not None}
    for problem in problems.values():
        complain(problem)
    accepted = [video for video in videos if video not in problems]
    with broker.errors():
        pictures = {"draw": results.video, "snapshots": results.wants_snapshots}
        jobs = enqueue(broker.client, accepted, folder, **pictures, formats=formats) if accepted else []
    if as_json:
        listed = [
            {"job": job.id, "video": video, "name": job.meta["name"], "out": str(folder)}
            for job, video in zip(jobs, accepted, strict=True)
        ]
        print(plain_json(json.dumps(listed, indent=2, ensure_ascii=False)))
    else:
        for job, video in zip(jobs, accepted, strict=True):
            print(f"{plain(video)}: job {job.id}")
        if jobs:
            print(f"files, once the jobs are done: {folder}")
            print(f"run the jobs with: posebus jobs work{_redis_option(settings.redis, broker.where)}")
    if problems:
        raise typer.Exit(1)


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
