"""`posebus jobs work`: the process that takes recordings out of the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from posebus.errors import ConfigError
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from posebus.bus.redis.connection import Broker
    from posebus.config.settings import Settings

jobs_app = typer.Typer(no_args_is_help=True, help="Work on recordings that were submitted to the queue.")


@jobs_app.command("work")
@grouped
def work(
    deployment: DeploymentOptions,
    burst: Annotated[bool, typer.Option("--burst", help="End when the queue is empty.")] = False,
) -> None:
    """Take jobs out of the queue and feed their recordings to the workers and trackers of the same broker.

    One job at a time; start several for more. Ctrl-C lets the job under way finish, a second one stops it.
    """
    from recordings.job_queue import work as work_on

    settings = settings_from(deployment)
    broker = queue_broker(settings)
    with broker.errors():
        work_on(broker.client, settings, burst=burst)


def queue_broker(settings: Settings) -> Broker:
    """The broker with the queue; raises ConfigError where it cannot have one, or RQ is not installed."""
    from importlib.util import find_spec

    from posebus.bus.redis.cluster import ClusterClient
    from posebus.bus.redis.connection import open_broker
    from posebus.config.settings import EMBEDDED

    if find_spec("rq") is None:
        raise ConfigError("jobs need the package rq, which is not installed: pip install 'posebus[jobs]'")
    if settings.redis == EMBEDDED:
        raise ConfigError("jobs wait in a broker that outlives this command: give its address with --redis URL")
    broker = open_broker(settings.redis, settings.shards)
    if isinstance(broker.client, ClusterClient):
        raise ConfigError(
            f"{broker.where} is a Redis Cluster, in which RQ keeps no queue: give the address of a single server, "
            "or use 'posebus run --redis URL'"
        )
    return broker
