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
    from collections.abc import Callable, Sequence

    from rich.console import Console, Group
    from rich.table import Table

    from posebus.config.settings import RetentionSettings
    from posebus.telemetry.overview import Overview, ProcessRow, Snapshot
    from posebus.telemetry.stage_times import WorkRow

REFRESH_S = 1.0
HISTORY = 4
"""Looks between the first and last of which rates are computed."""
SAMPLE_S = 1.5
"""Between the two looks that rates are computed from: longer than the processes' heartbeat."""

_OnceOption = Annotated[bool, typer.Option("--once", help="Print the table once instead of keeping it up to date.")]


@grouped
def top(deployment: DeploymentOptions, once: _OnceOption = False, as_json: JsonOption = False) -> None:
    """Show cameras and processes live: frame rates in and out, age, backlog, drops. Until Ctrl-C.

    fps in is what the camera publishes, fps out what its tracker finishes; age is from the frame's capture to its
    tracks; waiting is what the broker holds of it for the workers, full the part of max_backlog_bytes that this is; MB
    is the size of its poses and tracks there; dropped counts frames that were skipped on purpose because the
    workers could not keep up. A bound that is near is told in words.

    Of processes, over the last seconds: busy is the share of the time in which the engine had work, batch how many
    frames it got at once, age what its results had when they were published (median/99 %); below, how long the steps of
    the work took (median/95 %), and what was skipped.
    """
    from rich.console import Console

    from posebus.bus.redis.connection import open_broker
    from posebus.telemetry.broker_memory import MemoryLook
    from posebus.telemetry.overview import look, overview

    settings = settings_from(deployment)
    broker = open_broker(broker_address(settings), settings.shards)
    console = Console()
    memory = MemoryLook(broker)
    before = look(broker, memory)
    if as_json or once or not console.is_terminal:
        time.sleep(SAMPLE_S)
        shown = overview(before, look(broker, memory), settings.retention)
        if as_json:
            print(json.dumps(shown.as_dict(), indent=2))
        else:
            console.print(tables(shown, broker.where))
        return
    _keep_showing(partial(look, broker, memory), before, console, broker.where, settings.retention)


def _keep_showing(
    look: Callable[[], Snapshot], before: Snapshot, console: Console, where: str, retention: RetentionSettings
) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from posebus.errors import BrokerUnavailable
    from posebus.telemetry.overview import overview

    history: list[Snapshot] = [before]
    with Live(tables(overview(before, before), where), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH_S)
            try:
                history = [*history, look()][-HISTORY:]
            except BrokerUnavailable as error:
                trouble = Text(f"{error}; trying again", style="red")
                live.update(Group(tables(overview(history[-1], history[-1]), where), trouble), refresh=True)
                continue
            live.update(tables(overview(history[0], history[-1], retention), where), refresh=True)


def tables(shown: Overview, where: str) -> Group:
    """The overview as rich tables."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    cameras = Table(box=box.SIMPLE_HEAD, title=f"posebus at {where}", title_justify="left", pad_edge=False)
    for name in ("camera", "state"):
        cameras.add_column(name, no_wrap=True)
    decided = any(camera.infer is not None for camera in shown.cameras)
    for name in ("fps in", "fps out", "age ms", "people", "waiting", "full", "MB", "dropped", *["infer"] * decided):
        cameras.add_column(name, justify="right", no_wrap=True)
    colors = {"online": "green", "offline": "red", "connecting": "yellow"}
    for camera in shown.cameras:
        cameras.add_row(
            Text(camera.name),
            Text(camera.state, style=colors.get(camera.state, "dim")),
            *(_cell(value) for value in (camera.fps_in, camera.fps_out, camera.age_ms, camera.people)),
            _waiting(camera.backlog_frames, camera.backlog_bytes),
            _share(camera.backlog_bytes, camera.backlog_limit_bytes),
            _megabytes(camera.poses_bytes, camera.tracks_bytes),
            Text(str(camera.dropped), style="yellow" if camera.dropped else ""),
            *[camera.infer or "-"] * decided,
        )
    troubles = [Text(f"{camera.name}: {camera.trouble}", style="red") for camera in shown.cameras if camera.trouble]
    notes = [] if shown.cameras else [Text("No camera has published anything yet.", style="dim")]
    notes += [] if shown.processes else [Text("No process reports to this broker.", style="yellow")]
    notes += [Text(text, style="yellow") for text in shown.warnings]
    if shown.broker_used_bytes is not None:
        limit = f" of {shown.broker_limit_bytes / 1e6:.0f}" if shown.broker_limit_bytes else ", without a limit"
        notes.append(Text(f"broker's memory: {shown.broker_used_bytes / 1e6:.0f}{limit} MB", style="dim"))
    work = [work_table(shown.work)] if any(row.work.steps_ms for row in shown.work) else []
    return Group(cameras, *troubles, process_table(shown.processes), *work, *notes)


def process_table(processes: Sequence[ProcessRow]) -> Table:
    """A row a process."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("process", "host", "pid"):
        table.add_column(name)
    for name in ("fps", "busy", "batch", "age ms"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("does")
    for process in processes:
        work = process.work
        busy = "-" if work.busy_share is None else f"{work.busy_share:.0%}"
        age = "-" if work.age_ms is None else "/".join(f"{value:.0f}" for value in work.age_ms)
        table.add_row(
            *(process.role, process.host, str(process.pid), _cell(process.fps), busy, _cell(work.batch_frames), age),
            Text(process.does),
        )
    return table


def work_table(rows: Sequence[WorkRow]) -> Table:
    """Where the time goes: the steps of each process."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title="where the time goes, ms: median/95 %", title_justify="left"
    )
    table.add_column("process", no_wrap=True)
    table.add_column("steps of the last seconds")
    for row in rows:
        # A name stays beside its figures where a line is broken.
        steps = [f"{step}\u00a0{_ms(low)}/{_ms(high)}" for step, (low, high) in row.work.steps_ms.items()]
        cell = Text("  ".join(steps) or "-")
        for reason, rate in row.work.skipped_per_s.items():
            cell.append(f"  skipped {reason}\u00a0{rate:.1f}/s", style="yellow")
        table.add_row(f"{row.role} {row.pid}" if row.pid is not None else f"{row.role} x {row.processes}", cell)
    return table


def _ms(value: float) -> str:
    """About two digits that count."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) and value < 1000 else f"{value:.0f}"


def _waiting(frames: int | None, size_bytes: int | None) -> str:
    if frames is None:
        return "-"
    return f"{frames}" if not size_bytes else f"{frames} ({size_bytes / 1e6:.1f} MB)"


def _share(size_bytes: int | None, limit_bytes: int | None) -> str:
    """How full a backlog is."""
    return "-" if size_bytes is None or not limit_bytes else f"{size_bytes / limit_bytes:.0%}"


def _megabytes(*sizes_bytes: int | None) -> str:
    """Of streams, as far as they were measured, together."""
    known = [size for size in sizes_bytes if size is not None]
    return f"{sum(known) / 1e6:.1f}" if known else "-"
