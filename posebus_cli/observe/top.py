"""`posebus top`: a live table of cameras and processes."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.telemetry.camera_state import CameraState
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import DeploymentOptions, JsonOption
from posebus_cli.options.settings import broker_address, settings_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console, Group
    from rich.table import Table

    from posebus.config.settings import RetentionSettings
    from posebus.telemetry.overview import DeploymentState, Overview, ProcessRow
    from posebus.telemetry.stage_times import WorkRow

REFRESH_S = 1.0
HISTORY = 4
"""Rates are computed over this many snapshots, from the first to the last."""
SAMPLE_S = 1.5
"""Time between the two snapshots from which rates are computed: longer than the heartbeat of the processes."""

_OnceOption = Annotated[bool, typer.Option("--once", help="Print the table once instead of updating it.")]


@grouped
def top(deployment: DeploymentOptions, once: _OnceOption = False, as_json: JsonOption = False) -> None:
    """Show cameras and processes live, until Ctrl-C: frame rates in and out, age, backlog, dropped frames.

    Of a camera: fps in are published frames, fps out tracked ones; age is the time from a frame's capture to its
    tracks; waiting are frames in the broker for the workers, full is their share of max_backlog_bytes; MB is the size
    of its poses and tracks in the broker; dropped are frames that were skipped because the workers could not keep up.
    A warning is shown for each limit that is nearly reached.

    Of a process, over the last seconds: busy is the share of the time in which the engine had work, batch the frames
    per batch, age that of its results when they were published (median/99 %). The second table shows how long each step
    took (median/95 %), and which frames were skipped.
    """
    from rich.console import Console

    from posebus.bus.redis.connection import open_broker
    from posebus.telemetry.broker_memory import MemorySampler
    from posebus.telemetry.overview import overview, read_deployment

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
            console.print(tables(shown, broker.where))
        return
    _keep_showing(partial(read_deployment, broker, memory), before, console, broker.where, settings.retention)


def _keep_showing(
    read: Callable[[], DeploymentState],
    before: DeploymentState,
    console: Console,
    where: str,
    retention: RetentionSettings,
) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from posebus.errors import BrokerUnavailable
    from posebus.telemetry.overview import overview

    history: list[DeploymentState] = [before]
    with Live(tables(overview(before, before), where), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(REFRESH_S)
            try:
                history = [*history, read()][-HISTORY:]
            except BrokerUnavailable as error:
                trouble = Text(f"{error}; trying again", style="red")
                live.update(Group(tables(overview(history[-1], history[-1]), where), trouble), refresh=True)
                continue
            live.update(tables(overview(history[0], history[-1], retention), where), refresh=True)


def tables(shown: Overview, where: str) -> Group:
    """Return the overview as rich tables."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title = Text(f"posebus at {where}", style="table.title")
    cameras = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for name in ("camera", "state"):
        cameras.add_column(name, no_wrap=True)
    decided = any(camera.infer is not None for camera in shown.cameras)
    for name in ("fps in", "fps out", "age ms", "people", "waiting", "full", "MB", "dropped", *["infer"] * decided):
        cameras.add_column(name, justify="right", no_wrap=True)
    colors: dict[str, str] = {CameraState.ONLINE: "green", CameraState.OFFLINE: "red", CameraState.CONNECTING: "yellow"}
    for camera in shown.cameras:
        cameras.add_row(
            Text(camera.name),
            Text(camera.state, style=colors.get(camera.state, "dim")),
            *(_cell(value) for value in (camera.fps_in, camera.fps_out, camera.age_ms, camera.people)),
            _waiting(camera.backlog_frames, camera.backlog_bytes),
            _share(camera.backlog_bytes, camera.backlog_limit_bytes),
            _megabytes(camera.poses_bytes, camera.tracks_bytes),
            Text(str(camera.dropped), style="yellow" if camera.dropped else ""),
            *[Text(camera.infer or "-")] * decided,
        )
    troubles = [Text(f"{camera.name}: {camera.trouble}", style="red") for camera in shown.cameras if camera.trouble]
    notes = [] if shown.cameras else [Text("No camera has published a frame yet.", style="dim")]
    notes += [] if shown.processes else [Text("No process reports to this broker.", style="yellow")]
    notes += [Text(text, style="yellow") for text in shown.warnings]
    if shown.broker_used_bytes is not None:
        limit = f" of {shown.broker_limit_bytes / 1e6:.0f}" if shown.broker_limit_bytes else ", without a limit"
        notes.append(Text(f"broker memory: {shown.broker_used_bytes / 1e6:.0f}{limit} MB", style="dim"))
    work = [work_table(shown.work)] if any(row.work.steps_ms for row in shown.work) else []
    return Group(cameras, *troubles, process_table(shown.processes), *work, *notes)


def process_table(processes: Sequence[ProcessRow]) -> Table:
    """Return a table with a row for each process."""
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
            *(Text(text) for text in (process.role, process.host)),
            *(str(process.pid), _cell(process.fps), busy, _cell(work.batch_frames), age),
            Text(process.does),
        )
    return table


def work_table(rows: Sequence[WorkRow]) -> Table:
    """Return a table of how long the steps of each process took."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title="time of each step in ms: median/95 %", title_justify="left"
    )
    table.add_column("process", no_wrap=True)
    table.add_column("steps of the last seconds")
    for row in rows:
        # No line break between a name and its figures.
        steps = [f"{step}\u00a0{_ms(low)}/{_ms(high)}" for step, (low, high) in row.work.steps_ms.items()]
        cell = Text("  ".join(steps) or "-")
        for reason, rate in row.work.skipped_per_s.items():
            cell.append(f"  skipped {reason}\u00a0{rate:.1f}/s", style="yellow")
        table.add_row(f"{row.role} {row.pid}" if row.pid is not None else f"{row.role} x {row.processes}", cell)
    return table


def _ms(value: float) -> str:
    """Return a duration with about two significant digits."""
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
    """Return how full a backlog is."""
    return "-" if size_bytes is None or not limit_bytes else f"{size_bytes / limit_bytes:.0%}"


def _megabytes(*sizes_bytes: int | None) -> str:
    """Return the total size of the streams that were measured."""
    known = [size for size in sizes_bytes if size is not None]
    return f"{sum(known) / 1e6:.1f}" if known else "-"
