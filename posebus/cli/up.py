"""`posebus up`: a whole deployment on this machine, from one file."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from posebus.cli.options import ConfigOption, RedisOption, settings_from
from posebus.cli.stages import set_up_logging
from posebus.errors import ConfigError
from posebus.settings import EMBEDDED, EMBEDDED_PORT, Settings, redact_url

TEND_S = 0.2


def up(
    config: ConfigOption = None,
    redis: RedisOption = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Worker processes. (default: 1)", min=0)
    ] = None,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", help="Where the embedded broker listens, on this machine only.")
    ] = EMBEDDED_PORT,
) -> None:
    """Run cameras, workers and trackers of a configuration file on this machine, until Ctrl-C."""
    from posebus.bus.connection import open_broker
    from posebus.fleet import Fleet
    from posebus.stage import StopFlag

    settings = settings_from(config, redis=redis, fleet__workers=workers)
    if not settings.cameras:
        raise ConfigError("no camera is configured: name some under 'cameras:' in a file and give it with -c FILE")
    set_up_logging(settings)
    stop = StopFlag()
    stop.install()
    with _broker(settings, port) as url:
        settings = settings.model_copy(update={"redis": url})
        with Fleet(settings, open_broker(url, settings.shards)) as fleet:
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


@contextlib.contextmanager
def _broker(settings: Settings, port: int) -> Iterator[str]:
    if settings.redis != EMBEDDED:
        yield settings.redis
        return
    from posebus.embedded import EmbeddedBroker

    with EmbeddedBroker(port) as url:
        yield url
