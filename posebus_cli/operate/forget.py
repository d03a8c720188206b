"""`posebus forget`: remove cameras that will not come back."""

from __future__ import annotations

from typing import Annotated

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions
from posebus_cli.options.settings import broker_address, settings_from


@grouped
def forget(
    cameras: Annotated[list[str], typer.Argument(metavar="CAMERA...", help="Names, as 'posebus top' shows them.")],
    deployment: DeploymentOptions,
) -> None:
    """Remove cameras that are gone for good, with their streams, identities and state.

    A camera that is only switched off needs nothing: it goes on when it comes back. One that is still being read is
    not removed; take it out of the configuration first.
    """
    from posebus.bus.redis.connection import open_broker
    from posebus.bus.registry import Registry
    from posebus_cli.failures import complain

    settings = settings_from(deployment)
    broker = open_broker(broker_address(settings), settings.shards)
    registry = Registry(broker)
    known = {record.camera for record in registry.cameras()}
    busy = {
        camera
        for report in registry.processes().values()
        if report.get("role") == "ingest"
        for camera in report.get("cameras", {})
    }
    failed = False
    for camera in dict.fromkeys(cameras):
        if camera not in known:
            complain(f"there is no camera {camera!r} at {broker.where}; 'posebus top' lists them")
        elif camera in busy:
            complain(f"camera {camera} is being read; take it out of the configuration and stop its ingest first")
        else:
            registry.remove_camera(camera)
            print(f"{camera} is forgotten")
            continue
        failed = True
    if failed:
        raise typer.Exit(1)
