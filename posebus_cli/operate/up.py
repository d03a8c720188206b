"""`posebus up`: a whole deployment on this machine from one configuration file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.config.redaction import redact_url
from posebus.config.settings import EMBEDDED_PORT
from posebus.runtime.stage_main import set_up_logging
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import ConfigFirst, FleetOptions
from posebus_cli.options.settings import need_cameras, settings_from

if TYPE_CHECKING:
    from posebus.config.settings import Settings

TEND_S = 0.2


@grouped
def up(
    deployment: ConfigFirst,
    processes: FleetOptions,
    port: Annotated[
        int,
        typer.Option("--port", metavar="PORT", help="Port of the embedded broker, which only this machine can reach."),
    ] = EMBEDDED_PORT,
) -> None:
    """Run the cameras of a configuration file on this machine with workers and trackers, until Ctrl-C."""
    from posebus.bus.redis.connection import open_broker
    from posebus.runtime.embedded import broker_for
    from posebus.runtime.fleet import Fleet
    from posebus.runtime.stage import StopFlag
    from recordings.stages import STAGES

    settings = settings_from(deployment, processes)
    need_cameras(settings)
    _refuse_what_cannot_work(settings)
    set_up_logging(settings)
    stop = StopFlag()
    stop.install()
    with broker_for(settings.redis, port) as url:
        settings = settings.model_copy(update={"redis": url})
        with stop.starting():
            broker = open_broker(url, settings.shards)
        with Fleet(settings, broker, STAGES) as fleet:
            shown = redact_url(url)
            print(
                f"starting {settings.fleet.workers} workers, {settings.fleet.trackers} trackers on {shown}", flush=True
            )
            fleet.start_trackers()
            fleet.start_workers()
            fleet.start_ingest()
            print(f"follow them with: posebus top --redis {shown}, or posebus watch --redis {shown}", flush=True)
            while not stop.check():
                fleet.check()
                time.sleep(TEND_S)
            print("stopping", flush=True)
    if fleet.ingest_failed:
        # Ingest has said which cameras, and why.
        raise typer.Exit(1)


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
