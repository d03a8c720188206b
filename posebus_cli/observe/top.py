"""`posebus top`: a live table of cameras and processes."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Annotated

import typer

from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.settings import broker_address, settings_from

SAMPLE_S = 1.5
"""Time between the two snapshots from which rates are computed: longer than the heartbeat of the processes."""

_OnceOption = Annotated[bool, typer.Option("--once", help="Print the table once instead of updating it.")]


@grouped
def top(deployment: DeploymentOptions, once: _OnceOption = False, as_json: JsonOption = False) -> None:
    """Show cameras and processes live, until q or Ctrl-C: frame rates, age, people, backlog, dropped frames.

    Above the tables stands in words what limits the deployment and what would help, the most important first.

    Of a camera: fps in are published frames, fps out tracked ones; age is the time from a frame's capture to its
    tracks; infer is the size and the rate of inference where a policy chooses them; dropped are frames that were
    skipped because the workers could not keep up; waiting are frames in the broker for the workers, full is their share
    of max_backlog_bytes; MB is the size of its poses and tracks in the broker.

    Of a process, over the last seconds: busy is the share of the time in which the engine had work, batch the frames
    per batch, age that of its results when they were published (median/99 %). Below stands how long each step took
    (median/95 %), and which frames were skipped.

    The table fits into the terminal: a narrow one shows the most important columns, a low one counts the other rows, to
    which the arrows, PgUp, PgDn, j and k scroll. --once shows all rows, --json everything. Without a terminal it prints
    once.
    """
    from rich.console import Console

    from posebus.bus.redis.connection import open_broker
    from posebus.telemetry.broker_memory import MemorySampler
    from posebus.telemetry.overview import overview, read_deployment
    from posebus_cli.observe.screen.top_view import TopView

    settings = settings_from(deployment)
    broker = open_broker(broker_address(settings), settings.shards)
    console = Console()
    memory = MemorySampler(broker)
    before = read_deployment(broker, memory)
    if as_json or once or not console.is_terminal or console.is_dumb_terminal:
        time.sleep(SAMPLE_S)
        shown = overview(before, read_deployment(broker, memory), settings.retention)
        if as_json:
            print(json.dumps(shown.as_dict(), indent=2))
        else:
            console.print(TopView(shown, broker.where, whole=True))
        return
    from posebus_cli.observe.screen.live_view import LiveView, show_until_quit

    read = partial(read_deployment, broker, memory)
    show_until_quit(read, LiveView(before, broker.where, settings.retention), console)
