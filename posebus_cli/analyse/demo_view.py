"""Views of the running `posebus demo`: a table on a terminal, lines elsewhere, nothing beside JSON."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from recordings.live.camera import LiveCamera
    from recordings.live.demo import DemoView

LINE_EVERY_S = 2.0
TABLE_EVERY_S = 0.25
COLUMNS = ("fps in", "fps out", "people", "tracks", "age ms", "skipped")


class NoView:
    """Shows nothing."""

    def status(self, text: str) -> None: ...

    def show(self, cameras: Sequence[LiveCamera], left_s: float) -> None: ...


class DemoLines:
    """Prints a line for each camera every two seconds."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def status(self, text: str) -> None:
        print(text, flush=True)

    def show(self, cameras: Sequence[LiveCamera], left_s: float) -> None:
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + LINE_EVERY_S
        for camera in cameras:
            values = ", ".join(f"{name} {value}" for name, value in zip(COLUMNS, cells(camera), strict=True))
            print(f"{camera.name}: {values}", flush=True)


class LiveTable:
    """A table on the terminal that is updated in place."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(), refresh_per_second=10)
        self._table: RenderableType = ""
        self._next_s = 0.0

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.update(self._table)  # stays on the screen
        self._live.stop()

    def status(self, text: str) -> None:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        spinner = Spinner("dots", Text(text))
        self._live.update(Group(self._table, spinner) if self._table else spinner)

    def show(self, cameras: Sequence[LiveCamera], left_s: float) -> None:
        from rich import box
        from rich.table import Table

        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + TABLE_EVERY_S
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=f"{left_s:.0f} s left" if left_s >= 0.5 else None)
        table.add_column("camera")
        for name in COLUMNS:
            table.add_column(name, justify="right")
        for camera in cameras:
            table.add_row(camera.name, *cells(camera))
        self._table = table
        self._live.update(table)


def cells(camera: LiveCamera) -> list[str]:
    """Return the values of `COLUMNS` for `camera`."""
    numbers = (camera.fps_in, camera.fps_out, camera.people, len(camera.identities), camera.ages_ms.newest)
    return ["-" if number is None else _short(number) for number in (*numbers, camera.skipped)]


@contextmanager
def view(*, as_json: bool) -> Iterator[DemoView]:
    """Return a table if standard output is a terminal, else lines; with `as_json` nothing is shown."""
    if as_json:
        yield NoView()
    elif not sys.stdout.isatty():
        yield DemoLines()
    else:
        with LiveTable() as table:
            yield table


def _short(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.1f}" if number < 100 else f"{number:.0f}"
