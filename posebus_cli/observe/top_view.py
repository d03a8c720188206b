"""The overview of `posebus top` as lines that fit into the terminal: none is wrapped, rows without room are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from posebus.telemetry.camera_state import SWITCHED_OFF, CameraState
from posebus.telemetry.overview import CameraRow, Overview, ProcessRow
from posebus.telemetry.process_report import INGEST, WORKER
from posebus.telemetry.stage_times import WorkRow
from posebus.wording import counted
from posebus_cli.observe.fitted_table import Cell, Column, Line, cut, fitted

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

Row = TypeVar("Row")
COLORS: dict[str, str] = {CameraState.ONLINE: "green", CameraState.OFFLINE: "red", CameraState.CONNECTING: "yellow"}
MOST_NOTES = 3
"""Lines of troubles and warnings that are shown where the height is limited."""
FEWEST_PROCESSES = 3
"""Processes for which there is always room, however many cameras there are."""


@dataclass(frozen=True, slots=True)
class TopView:
    """The screen of `top`, for rich to print. `whole`: all rows, at any height. `trouble`: why it is out of date."""

    shown: Overview
    where: str
    whole: bool = False
    trouble: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        height = None if self.whole else options.height or console.height
        for line in self.lines(options.max_width, height):
            text = Text.assemble(*line, no_wrap=True)
            text.rstrip()
            yield text

    def lines(self, width: int, height: int | None) -> list[Line]:
        """Return the lines for a terminal of so many columns and rows; None: any number of rows."""
        shown = self.shown
        notes = [[Cell(cut(text, width), style)] for text, style in self._notes()]
        if height is not None and len(notes) > MOST_NOTES:
            more = counted(len(notes) - MOST_NOTES + 1, "more message")
            notes[MOST_NOTES - 1 :] = [[Cell(cut(f"… {more}: 'posebus top --once' shows all", width), "dim")]]
        # Besides the rows: the title, and for each of the two tables its header and an empty line above it.
        room = None if height is None else height - len(notes) - 5
        for_cameras, for_processes = _rooms(room, len(shown.cameras), len(shown.processes))
        cameras, more_cameras = _within(_worst_first(shown.cameras), for_cameras, _count_cameras)
        in_order = shown.processes if for_processes is None else _workers_first(shown.processes)
        processes, more_processes = _within(in_order, for_processes, _count_processes)
        lines = [
            [Cell(cut(self._title(), width), "bold")],
            *notes,
            [],
            *fitted(_camera_columns(cameras), width),
            *more_cameras,
            [],
            *fitted(_process_columns(processes), width),
            *more_processes,
        ]
        steps = [[], *step_lines(shown.work, width)] if any(row.work.steps_ms for row in shown.work) else []
        fits = height is None or len(lines) + len(steps) <= height
        return [*lines, *steps] if fits else lines[:height]

    def _title(self) -> str:
        used_bytes, limit_bytes = self.shown.broker_used_bytes, self.shown.broker_limit_bytes
        if used_bytes is None:
            return f"posebus at {self.where}"
        limit = f" of {limit_bytes / 1e6:.0f} MB" if limit_bytes else " MB, without a limit"
        return f"posebus at {self.where}   broker memory: {used_bytes / 1e6:.0f}{limit}"

    def _notes(self) -> Iterator[Cell]:
        if self.trouble is not None:
            yield Cell(self.trouble, "red")
        if not self.shown.cameras:
            yield Cell("No camera has published a frame yet.", "dim")
        if not self.shown.processes:
            yield Cell("No process reports to this broker.", "yellow")
        for one in self.shown.cameras:
            if one.trouble and one.trouble != one.state:
                yield Cell(f"{one.name}: {one.trouble}", "dim" if one.state in SWITCHED_OFF else "red")
        yield from (Cell(text, "yellow") for text in self.shown.warnings)


def _rooms(room: int | None, cameras: int, processes: int) -> tuple[int | None, int | None]:
    """Divide `room` lines among so many cameras and processes; None: there is room for all."""
    if room is None or cameras + processes <= room:
        return None, None
    for_processes = max(min(FEWEST_PROCESSES, processes), room - cameras)
    return max(1, room - for_processes), for_processes


def _within(
    rows: Sequence[Row], room: int | None, count: Callable[[Sequence[Row]], str]
) -> tuple[Sequence[Row], list[Line]]:
    """Return the rows that there is room for, and a line that counts the others."""
    if room is None or len(rows) <= room:
        return rows, []
    kept = max(0, room - 1)
    return rows[:kept], [[Cell(f"… {count(rows[kept:])}", "dim")]]


def _worst_first(cameras: Sequence[CameraRow]) -> list[CameraRow]:
    """Cameras that do not deliver, though they should, come first: they are seen however many cameras there are."""
    fine = {CameraState.ONLINE, *SWITCHED_OFF}
    return sorted(cameras, key=lambda camera: camera.state in fine)


def _workers_first(processes: Sequence[ProcessRow]) -> list[ProcessRow]:
    """The processes of ingest come last: their cameras have rows of their own."""
    return sorted(processes, key=lambda process: (process.role == INGEST, process.role != WORKER))


def _count_cameras(rows: Sequence[CameraRow]) -> str:
    return f"{counted(len(rows), 'more camera')}: {_counts(row.state for row in rows)}"


def _count_processes(rows: Sequence[ProcessRow]) -> str:
    return f"{counted(len(rows), 'more process')}: {_counts(row.role for row in rows)}"


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in Counter(words).most_common())


def _camera_columns(rows: Sequence[CameraRow]) -> list[Column]:
    states = [Cell(row.state, COLORS.get(row.state, "dim")) for row in rows]
    dropped = [Cell(str(row.dropped), "yellow" if row.dropped else "") for row in rows]
    columns = [
        Column("camera", [Cell(row.name) for row in rows], 0, least=12, right=False),
        Column("state", states, 1, right=False),
        Column("fps in", _figures(row.fps_in for row in rows), 2),
        Column("fps out", _figures(row.fps_out for row in rows), 3),
        Column("age ms", _figures(row.age_ms for row in rows), 5),
        Column("people", _figures(row.people for row in rows), 4),
        Column("dropped", dropped, 7),
        Column("waiting", _figures(row.backlog_frames for row in rows), 8),
        Column("full", [Cell(_share(row.backlog_bytes, row.backlog_limit_bytes)) for row in rows], 9),
        Column("MB", [Cell(_megabytes(row.poses_bytes, row.tracks_bytes)) for row in rows], 10),
    ]
    if any(row.infer is not None for row in rows):
        columns.append(Column("infer", [Cell(row.infer or "-") for row in rows], 6))
    return columns


def _process_columns(rows: Sequence[ProcessRow]) -> list[Column]:
    busy = ["-" if row.work.busy_share is None else f"{row.work.busy_share:.0%}" for row in rows]
    ages = ["-" if row.work.age_ms is None else "/".join(f"{age:.0f}" for age in row.work.age_ms) for row in rows]
    columns = [
        Column("process", [Cell(row.role) for row in rows], 0, right=False),
        Column("pid", [Cell(str(row.pid)) for row in rows], 4),
        Column("fps", _figures(row.fps for row in rows), 2),
        Column("busy", [Cell(text) for text in busy], 3),
        Column("batch", _figures(row.work.batch_frames for row in rows), 7),
        Column("age ms", [Cell(text) for text in ages], 5),
        Column("does", [Cell(row.does) for row in rows], 1, least=34, right=False),
    ]
    if len({row.host for row in rows}) > 1:
        columns.insert(1, Column("host", [Cell(row.host) for row in rows], 6, least=8, right=False))
    return columns


def step_lines(rows: Sequence[WorkRow], width: int) -> list[Line]:
    """Return how long the steps of each process took; a line ends between two steps."""
    names = [f"{row.role} {row.pid}" if row.pid is not None else f"{row.role} x {row.processes}" for row in rows]
    indent = max(map(len, names), default=0) + 2
    lines: list[Line] = [[Cell(cut("time of each step in ms: median/95 %", width), "bold")]]
    for name, row in zip(names, rows, strict=True):
        steps = [Cell(f"{step} {_ms(low)}/{_ms(high)}") for step, (low, high) in row.work.steps_ms.items()]
        steps += [Cell(f"skipped {why} {rate:.1f}/s", "yellow") for why, rate in row.work.skipped_per_s.items()]
        lines.append([Cell(f"{name:<{indent}}")])
        used = indent
        for step in steps or [Cell("-")]:
            if used > indent and used + len(step.text) > width:
                lines.append([Cell(" " * indent)])
                used = indent
            lines[-1] += [Cell(cut(step.text, width - used), step.style), Cell("  ")]
            used += len(step.text) + 2
    return lines


def _figures(values: Iterable[float | int | None]) -> list[Cell]:
    return [Cell(_figure(value)) for value in values]


def _figure(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) and value < 1000 else f"{value:.0f}"


def _ms(value: float) -> str:
    """Return a duration with about two significant digits."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _share(size_bytes: int | None, limit_bytes: int | None) -> str:
    """Return how full a backlog is."""
    return "-" if size_bytes is None or not limit_bytes else f"{size_bytes / limit_bytes:.0%}"


def _megabytes(*sizes_bytes: int | None) -> str:
    """Return the total size of the streams that were measured."""
    known = [size for size in sizes_bytes if size is not None]
    return f"{sum(known) / 1e6:.1f}" if known else "-"
