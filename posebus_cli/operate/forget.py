"""`posebus forget`: remove cameras that will not come back."""

from __future__ import annotations

from typing import Annotated

import typer

from posebus_cli.options import ConfigOption, RedisOption, broker_address, settings_from


def forget(
    cameras: Annotated[list[str], typer.Argument(metavar="CAMERA...", help="Names, as 'posebus top' shows them.")],
    redis: RedisOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove cameras that are gone for good, with their streams, identities and state.

    A camera that is only switched off needs nothing: it goes on when it comes back. One that is still being read is
    not removed; take it out of the configuration first.
    """
    from posebus.bus.redis.connection import open_broker
    from posebus.bus.registry import Registry
    from posebus.runtime.failures import complain
    from posebus.telemetry.reports import process_reports

    settings = settings_from(config, redis=redis)
    broker = open_broker(broker_address(settings), settings.shards)
    registry = Registry(broker)
    known = {record.camera for record in registry.cameras()}
    busy = {camera for report in process_reports(registry).values() for camera in report.captures}
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
