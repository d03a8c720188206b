"""`posebus metrics`: one Prometheus endpoint for a whole deployment."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, LogOptions
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

    from posebus.endpoints.readiness import Readiness

DEFAULT_PORT = 9464
POLL_S = 0.1


@grouped
def metrics(
    deployment: DeploymentOptions,
    logs: LogOptions,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Port of the endpoint; 0: any free port.")
    ] = (DEFAULT_PORT),
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address of this machine to listen at; 0.0.0.0 lets other machines connect.",
        ),
    ] = "127.0.0.1",
    once: Annotated[bool, typer.Option("--once", help="Print the metrics once and exit.")] = False,
) -> None:
    """Serve the metrics of all cameras and processes to Prometheus, until Ctrl-C or SIGTERM.

    One endpoint serves the whole deployment: every process reports to the broker, and each scrape reads the reports.
    While the broker does not answer, posebus_up is 0. /healthz says whether this process works; /readyz whether the
    broker answers and workers and trackers are ready, with the reasons (JSON; 503 if not).
    """
    from prometheus_client import CollectorRegistry, generate_latest

    from posebus.bus.redis.connection import open_broker
    from posebus.endpoints.prometheus import DeploymentCollector
    from posebus.endpoints.readiness import read_readiness
    from posebus.logs.set_up import set_up_logging

    settings = settings_from(deployment, logs)
    set_up_logging(settings, "metrics")
    broker = open_broker(broker_address(settings), settings.shards)
    registry = CollectorRegistry()
    registry.register(DeploymentCollector(broker))
    if once:
        print(generate_latest(registry).decode(), end="")
    else:
        _serve(registry, host, port, lambda: read_readiness(broker))


def _serve(registry: CollectorRegistry, host: str, port: int, ready: Callable[[], Readiness]) -> None:
    from prometheus_client import make_wsgi_app, start_http_server

    from posebus.endpoints.pages import with_health_pages
    from posebus.errors import ConfigError
    from posebus.runtime.health import SILENT_AFTER_S, HealthFile
    from posebus.runtime.stage import StopFlag

    stop = StopFlag()
    stop.install()
    try:
        server, thread = start_http_server(port, host, registry=registry)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = "another program uses this port; choose another one with --port"
        else:
            problem = f"{error.strerror or error}; choose an address of this machine with --host, or another --port"
        raise ConfigError(f"metrics cannot be served at {host}:{port}: {problem}") from error
    turned_at_s = time.monotonic()

    def hangs() -> str | None:
        silent_s = time.monotonic() - turned_at_s
        return f"the main loop has not turned for {silent_s:.0f} s" if silent_s > SILENT_AFTER_S else None

    server.set_app(with_health_pages(make_wsgi_app(registry), hangs, ready))
    print(f"metrics are served at http://{host}:{server.server_port}/metrics", flush=True)
    health = HealthFile("metrics")
    while not stop.check():
        turned_at_s = time.monotonic()
        if thread.is_alive():
            health.beat(turned_at_s)
        time.sleep(POLL_S)
    server.shutdown()
    server.server_close()
    thread.join()
