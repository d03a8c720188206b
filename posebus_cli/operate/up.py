"""`posebus up`: a whole deployment on this machine from one configuration file."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.config.broker_address import default_address
from posebus.config.redaction import redact_url
from posebus.config.settings import EMBEDDED, EMBEDDED_PORT
from posebus.errors import ConfigError
from posebus.runtime.stage_main import set_up_logging
from posebus.wording import counted
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import ConfigFirst, FleetOptions, NoReloadOption
from posebus_cli.options.settings import followed_from, need_cameras

if TYPE_CHECKING:
    from posebus.config.settings import Settings

TEND_S = 0.1


@grouped
def up(
    deployment: ConfigFirst,
    processes: FleetOptions,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            metavar="PORT",
            min=1,
            max=65535,
            help=f"Port of the embedded broker, which only this machine can reach. (default: {EMBEDDED_PORT})",
        ),
    ] = None,
    no_reload: NoReloadOption = False,
) -> None:
    """Run the cameras of a configuration file on this machine with workers and trackers, until Ctrl-C.

    Without the address of a broker it starts its own, which keeps nothing on disk, and which other commands find by
    themselves. Changes of the file are applied while it runs: cameras come, go and change one by one.
    """
    from posebus.bus.redis.connection import open_broker
    from posebus.runtime.embedded import broker_for
    from posebus.runtime.fleet import Fleet
    from posebus.runtime.following import Follower
    from posebus.runtime.stage import StopFlag
    from posebus_cli.operate.changes import FleetChanges
    from recordings.stages import STAGES

    followed = followed_from(deployment, processes)
    settings = followed.settings
    need_cameras(settings)
    _check_port(port, settings)
    _refuse_what_cannot_work(settings)
    set_up_logging(settings)
    stop = StopFlag()
    stop.install()
    follower = None if no_reload else Follower(followed, stop)
    with broker_for(settings.redis, port or EMBEDDED_PORT) as url:
        followed.pin(redis=url)
        settings = followed.settings
        with stop.starting():
            broker = open_broker(url, settings.shards)
        with Fleet(settings, broker, STAGES, follow=not no_reload) as fleet:
            shown = redact_url(url)
            print(f"starting {_children(settings)} at {shown}", flush=True)
            fleet.start_trackers()
            fleet.start_workers()
            fleet.start_ingest()
            where = "" if url == default_address(os.environ) else f" --redis {shown}"
            print(f"follow them with: posebus top{where}, or posebus watch{where}; stop with Ctrl-C", flush=True)
            changes = None if follower is None else FleetChanges(fleet, follower)
            while not stop.check():
                fleet.check()
                if changes is not None:
                    changes.step(time.monotonic())
                time.sleep(TEND_S)
            print("stopping", flush=True)
    if fleet.ingest_failed:
        raise typer.Exit(1)  # ingest has said which cameras, and why


def _check_port(port: int | None, settings: Settings) -> None:
    """Raise ConfigError for a port without an embedded broker."""
    if port is not None and settings.redis != EMBEDDED:
        raise ConfigError(
            "--port is the port of the embedded broker, but the settings name another one, "
            f"{redact_url(settings.redis)}: leave out --port, or use '--redis embedded'"
        )


def _children(settings: Settings) -> str:
    """Return what is started, in words."""
    cameras = counted(len(settings.cameras), "camera")
    return f"{cameras}, {counted(settings.fleet.workers, 'worker')}, {counted(settings.fleet.trackers, 'tracker')}"


def _refuse_what_cannot_work(settings: Settings) -> None:
    """Raise ConfigError if nothing could run here: no camera, or no worker, or no broker.

    If only some cameras cannot work, say which and why. A device that is missing may yet be plugged in.
    """
    from posebus.config.loading import describe
    from posebus.config.problems import Problem, SourceLocation
    from posebus.errors import ConfigError
    from posebus.runtime.failures import complain
    from posebus_cli.operate.deployment_check import obstacles

    lasting = [one for one in obstacles(settings) if one.lasting]
    problems = tuple(Problem(SourceLocation("", ".".join(one.path)), one.problem) for one in lasting)
    cameras = {one.path[1] for one in lasting if one.path[0] == "cameras"}
    if cameras == set(settings.cameras) or any(one.path[0] != "cameras" for one in lasting):
        raise ConfigError(describe(problems))
    for problem in problems:
        complain(problem)
