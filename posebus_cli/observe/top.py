"""`posebus top`: a live table of cameras and processes."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from posebus.config.settings import RetentionSettings
    from posebus.telemetry.overview import DeploymentState

REFRESH_S = 1.0
HISTORY = 4
"""Rates are computed over this many snapshots, from the first to the last."""
SAMPLE_S = 1.5
"""Time between the two snapshots from which rates are computed: longer than the heartbeat of the processes."""

_OnceOption = Annotated[bool, typer.Option("--once", help="Print the table once instead of updating it.")]


@grouped
def top(deployment: DeploymentOptions, once: _OnceOption = False, as_json: JsonOption = False) -> None:
    """Show cameras and processes live, until Ctrl-C: frame rates, age, people, backlog, dropped frames.

    Of a camera: fps in are published frames, fps out tracked ones; age is the time from a frame's capture to its
    tracks; infer is the size and the rate of inference where a policy chooses them; dropped are frames that were
    skipped because the workers could not keep up; waiting are frames in the broker for the workers, full is their share
    of max_backlog_bytes; MB is the size of its poses and tracks in the broker.

    Of a process, over the last seconds: busy is the share of the time in which the engine had work, batch the frames
    per batch, age that of its results when they were published (median/99 %). Below stands how long each step took
    (median/95 %), and which frames were skipped.

    The table fits into the terminal: a narrow one shows the most important columns, a low one counts the other rows.
    --once shows all rows, --json everything.
    """
    from rich.console import Console

    from posebus.bus.redis.connection import open_broker
    from posebus.telemetry.broker_memory import MemorySampler
    from posebus.telemetry.overview import overview, read_deployment
    from posebus_cli.observe.top_view import TopView

    settings = settings_from(deployment)
    broker = open_broker(broker_address(settings), settings.shards)
    console = Console()
    memory = MemorySampler(broker)
    before = read_deployment(broker, memory)
    if as_json or once or not console.is_terminal:
        time.sleep(SAMPLE_S)
        shown = overview(before, read_deployment(broker, memory), settings.retention)
        if as_json:
            print(json.dumps(shown.as_dict(), indent=2))
        else:
            console.print(TopView(shown, broker.where, whole=True))
        return
    _keep_showing(partial(read_deployment, broker, memory), before, console, broker.where, settings.retention)


def _keep_showing(
    read: Callable[[], DeploymentState],
    before: DeploymentState,
    console: Console,
    where: str,
    retention: RetentionSettings,
) -> None:
    from rich.live import Live

    from posebus.errors import BrokerUnavailable
    from posebus.telemetry.overview import overview
    from posebus_cli.observe.top_view import TopView

    history: list[DeploymentState] = [before]
    with Live(TopView(overview(before, before), where), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH_S)
            try:
                history = [*history, read()][-HISTORY:]
            except BrokerUnavailable as error:
                last = overview(history[-1], history[-1])
                live.update(TopView(last, where, trouble=f"{error}; trying again"), refresh=True)
                continue
            live.update(TopView(overview(history[0], history[-1], retention), where), refresh=True)
