"""`posebus jobs work`: the process that runs the jobs of the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from posebus.errors import ConfigError
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, LogOptions
from posebus_cli.options.settings import settings_at_broker

if TYPE_CHECKING:
    from posebus.bus.redis.connection import Broker
    from posebus.config.settings import Settings

jobs_app = typer.Typer(no_args_is_help=True, help="Run jobs that were submitted with 'posebus submit'.")


@jobs_app.command("work")
@grouped
def work(
    deployment: DeploymentOptions,
    logs: LogOptions,
    burst: Annotated[bool, typer.Option("--burst", help="Exit when the queue is empty.")] = False,
) -> None:
    """Run the jobs of the queue with the workers and trackers of the same broker: by default that of 'posebus up'.

    Each such process runs one job at a time. After Ctrl-C it finishes the current job; a second Ctrl-C stops that, too.
    """
    from posebus.logs.set_up import set_up_logging
    from recordings.jobs.queue import work as work_on

    settings = settings_at_broker(deployment, logs)
    set_up_logging(settings, "jobs")
    broker = queue_broker(settings)
    with broker.errors():
        work_on(broker.client, settings, burst=burst)


def queue_broker(settings: Settings) -> Broker:
    """Return the broker with the queue; raises ConfigError if it cannot have one, or if RQ is not installed."""
    from importlib.util import find_spec

    from posebus.bus.redis.cluster import ClusterClient
    from posebus.bus.redis.connection import open_broker

    if find_spec("rq") is None:
        raise ConfigError(
            "jobs need the package rq, which is not installed: pip install '.[jobs]' in the checkout of posebus"
        )
    broker = open_broker(settings.redis, settings.shards)
    if isinstance(broker.client, ClusterClient):
        raise ConfigError(
            f"{broker.where} is a Redis Cluster, in which RQ cannot keep a queue: give the address of a single server, "
            "or use 'posebus run --redis URL'"
        )
    return broker
