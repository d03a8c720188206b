"""`posebus forget`: remove cameras that are no longer used."""

from __future__ import annotations

from typing import Annotated

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions
from posebus_cli.options.settings import broker_address, settings_from


@grouped
def forget(
    cameras: Annotated[list[str], typer.Argument(metavar="CAMERA", help="Names of cameras, as in 'posebus top'.")],
    deployment: DeploymentOptions,
) -> None:
    """Remove cameras for good, with their streams, tracks, state, events and dead letters.

    A camera that is only switched off need not be removed; it continues when it is back. A camera that an ingest still
    reads is not removed; delete it from the configuration first.
    """
    from posebus.bus.dead_letters import DeadLetters
    from posebus.bus.redis.connection import open_broker
    from posebus.bus.registry import Registry
    from posebus.runtime.failures import complain
    from posebus.telemetry.reports import process_reports

    settings = settings_from(deployment)
    broker = open_broker(broker_address(settings), settings.shards)
    registry = Registry(broker)
    busy = {camera for report in process_reports(registry).values() for camera in report.captures}
    failed = False
    for camera in dict.fromkeys(cameras):
        if camera in busy:
            complain(f"camera {camera} is still being read; delete it from the configuration and stop its ingest first")
        elif not registry.remove_camera(camera):
            complain(f"there is no camera {camera!r} at {broker.where}; 'posebus top' lists the cameras")
        else:
            DeadLetters(broker).drop_all(camera)
            registry.remove_traces(camera)
            print(f"{camera} was removed")
            continue
        failed = True
    if failed:
        raise typer.Exit(1)
