"""The overview of `posebus top` as lines that fit into the terminal: none is wrapped, rows without room are counted."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from posebus.telemetry.camera_state import SWITCHED_OFF, CameraState
from posebus.telemetry.overview import CameraRow, Overview, ProcessRow
from posebus.telemetry.process_report import INGEST, WORKER
from posebus.telemetry.stage_times import WorkRow
from posebus.wording import counted
from posebus_cli.observe.screen.fitted_table import Cell, Column, Line, cut, fitted

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

COLORS: dict[str, str] = {
    CameraState.ONLINE: "green",
    CameraState.OFFLINE: "red",
    CameraState.GIVEN_UP: "red",
    CameraState.CONNECTING: "yellow",
}
MOST_NOTES = 3
"""Lines of troubles and warnings that are shown where the height is limited."""
LOW, FEWEST_NOTES = 18, 1
"""A terminal of fewer rows shows so many messages, and no empty lines."""
NOTE_LINES = 2
"""Lines of one message where the height is limited."""
KEYS = "↑ ↓ PgUp PgDn scroll, q quits"
FEWEST_PROCESSES = 3
"""Processes for which there is always room, however many cameras there are."""


@dataclass(frozen=True, slots=True)
class TopView:
    """The screen of `top`, for rich to print. `whole`: all rows, at any height. `trouble`: why it is out of date.

    position: how many lines the tables were scrolled down. with_keys: the last line names the keys.
    """

    shown: Overview
    where: str
    whole: bool = False
    trouble: str | None = None
    position: int = 0
    with_keys: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        height = None if self.whole else options.height or console.height
        for line in self.lines(options.max_width, height):
            text = Text.assemble(*line, no_wrap=True)
            text.rstrip()
            yield text

    def lines(self, width: int, height: int | None) -> list[Line]:
        """Return the lines for a terminal of so many columns and rows; None: any number of rows."""
        return self._laid_out(width, height)[0]

    def hidden(self, width: int, height: int) -> int:
        """Return how many lines there are no room for: the last position to which the tables can be scrolled."""
        return self._laid_out(width, height)[1]

    def _laid_out(self, width: int, height: int | None) -> tuple[list[Line], int]:
        shown = self.shown
        low = height is not None and height < LOW
        notes = self._note_lines(width, None if height is None else FEWEST_NOTES if low else MOST_NOTES)
        gap: list[Line] = [] if low else [[]]
        keys: list[Line] = [[Cell(cut(KEYS, width), "dim")]] if self.with_keys else []
        worst_first = _worst_first(shown.cameras)
        cameras = fitted(_camera_columns(worst_first), width)
        in_order = shown.processes if height is None else _workers_first(shown.processes)
        processes = fitted(_process_columns(in_order), width)
        timed = any(row.work.steps_ms for row in shown.work)
        steps: list[Line] = [[], *step_lines(shown.work, width)] if timed else []
        # Besides the rows: the title, and for each of the two tables its header and perhaps an empty line above it.
        room = None if height is None else height - len(notes) - len(keys) - 2 * len(gap) - 3
        for_cameras, for_processes = _rooms(room, len(shown.cameras), len(shown.processes))
        if room is not None and len(shown.cameras) + len(shown.processes) + len(steps) <= room:
            for_processes = None  # the times of the steps have room, too
        rows = _Rows(cameras[1:], [row.state for row in worst_first], "more camera")
        camera_lines, hidden = rows.within(for_cameras, self.position, width)
        rows = _Rows([*processes[1:], *steps], [row.role for row in in_order], "more process")
        process_lines, more_hidden = rows.within(for_processes, self.position - hidden, width)
        title: list[Line] = [[Cell(cut(self._title(), width), "bold")]]
        lines = [*title, *notes, *gap, cameras[0], *camera_lines, *gap, processes[0], *process_lines]
        lines = lines if height is None else lines[: height - len(keys)]
        return [*lines, *keys], hidden + more_hidden

    def _note_lines(self, width: int, most: int | None) -> list[Line]:
        notes = list(self._notes())
        if most is None or len(notes) <= most:
            return [line for note in notes for line in _wrapped(note, width, most)]
        shown = notes[: max(1, most - 1)]
        more = f"… {counted(len(notes) - len(shown), 'more message')}: 'posebus top --once' shows all"
        lines = [line for note in shown for line in _wrapped(note, width, most)]
        return [*lines, [Cell(cut(more, width), "dim")]] if most > 1 else lines

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
        yield from (Cell(text, "yellow") for text in self.shown.bottlenecks)
        for one in self.shown.cameras:
            if one.trouble and one.trouble != one.state:
                yield Cell(f"{one.name}: {one.trouble}", "dim" if one.state in SWITCHED_OFF else "red")
        yield from (Cell(text, "yellow") for text in self.shown.warnings)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a table. `words`: of each row a word by which rows are counted; further rows have none."""

    lines: Sequence[Line]
    words: Sequence[str]
    noun: str

    def within(self, room: int | None, position: int, width: int) -> tuple[list[Line], int]:
        """Return the rows in `room` lines, scrolled down by `position`, and how many have no room.

        The last line counts those above and below.
        """
        if room is None or len(self.lines) <= room:
            return list(self.lines), 0
        kept = max(0, room - 1)
        hidden = len(self.lines) - kept
        above = max(0, min(position, hidden))
        if above == 0 and len(self.words) == room:
            return list(self.lines[:room]), hidden  # a line that counts would take the place of a row
        below = self.words[above + kept :]
        parts = [f"{above} above"] if above else []
        if below:
            parts.append(f"{counted(len(below), self.noun)}{': ' if not above else ' below: '}{_counts(below)}")
        elif above < hidden:
            parts.append("the times of the steps below")
        return [*self.lines[above : above + kept], [Cell(cut(f"… {', '.join(parts)}", width), "dim")]], hidden


def _wrapped(note: Cell, width: int, most: int | None) -> list[Line]:
    """Return a message in lines that end between two words; in a few where the number of messages is limited."""
    lines = textwrap.wrap(note.text, width, subsequent_indent="  ") or [""]
    if most is not None and len(lines) > NOTE_LINES:
        rest = " ".join(line.strip() for line in lines[NOTE_LINES - 1 :])
        lines = [*lines[: NOTE_LINES - 1], cut(f"  {rest}", width)]
    return [[Cell(line, note.style)] for line in lines]


def _rooms(room: int | None, cameras: int, processes: int) -> tuple[int | None, int | None]:
    """Divide `room` lines among so many cameras and processes; None: there is room for all."""
    if room is None:
        return None, None
    if cameras + processes <= room:
        return None, room - cameras
    for_processes = max(min(FEWEST_PROCESSES, processes), room - cameras)
    return max(1, room - for_processes), for_processes


def _worst_first(cameras: Sequence[CameraRow]) -> list[CameraRow]:
    """Cameras that do not deliver, though they should, come first: they are seen however many cameras there are."""
    fine = {CameraState.ONLINE, *SWITCHED_OFF}
    return sorted(cameras, key=lambda camera: camera.state in fine)


def _workers_first(processes: Sequence[ProcessRow]) -> list[ProcessRow]:
    """The processes of ingest come last: their cameras have rows of their own."""
    return sorted(processes, key=lambda process: (process.role == INGEST, process.role != WORKER))


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in Counter(words).most_common())


def _camera_columns(rows: Sequence[CameraRow]) -> list[Column]:
    states = [Cell(row.state, COLORS.get(row.state, "dim")) for row in rows]
    dropped = [Cell(str(row.dropped), "yellow" if row.dropped else "") for row in rows]
    columns = [
        Column("camera", [Cell(row.name) for row in rows], 0, right=False, always=True),
        Column("state", states, 1, right=False, always=True),
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
        Column("fps", _figures(row.fps for row in rows), 1),
        Column("busy", [Cell(text) for text in busy], 2),
        Column("batch", _figures(row.work.batch_frames for row in rows), 7),
        Column("age ms", [Cell(text) for text in ages], 5),
        Column("does", [Cell(row.does) for row in rows], 3, least=20, right=False),
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
