"""Progress of long work: bars on a terminal, a line every few seconds elsewhere, nothing beside JSON."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from posebus.plain_text import plain

if TYPE_CHECKING:
    from rich.progress import TaskID

LINE_EVERY_S = 3.0

Complain = Callable[[object], None]
"""Called with each sentence that the user should see although the work goes on."""


class Progress(Protocol):
    """Shows progress. Calls are cheap and may come hundreds of times a second, from several threads."""

    def status(self, text: str) -> None:
        """Show what is being done before there are frames to count."""

    def update(self, name: str, done: int, total: int | None, fps: float) -> None:
        """Show that `done` frames of `total` (None: unknown) of the task `name` are done, at `fps` per second."""

    def finish(self, name: str) -> None:
        """Stop showing the task `name`."""


class Silent:
    """Shows nothing."""

    def status(self, text: str) -> None: ...

    def update(self, name: str, done: int, total: int | None, fps: float) -> None: ...

    def finish(self, name: str) -> None: ...


class Lines:
    """A line for each task every few seconds, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown_at_s: dict[str, float] = {}
        self._last_text = ""

    def status(self, text: str) -> None:
        if text != self._last_text:
            self._last_text = text
            self._print(text)

    def update(self, name: str, done: int, total: int | None, fps: float) -> None:
        now_s = time.monotonic()
        # The first line, too, comes after this time: short work needs none.
        if now_s - self._shown_at_s.setdefault(name, now_s) >= LINE_EVERY_S:
            self._shown_at_s[name] = now_s
            self._print(f"{name}: {done}{f'/{total}' if total else ''} frames, {fps:.1f} fps")

    def finish(self, name: str) -> None:
        self._shown_at_s.pop(name, None)

    def _print(self, text: str) -> None:
        print(plain(text), file=self._stream, flush=True)


class Bars(AbstractContextManager["Bars"]):
    """A bar for each task under way, on a terminal (standard error)."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bars = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
        )
        # Recordings are analysed and drawn at the same time, by several threads.
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._waiting: TaskID | None = None

    def status(self, text: str) -> None:
        with self._lock:
            if self._waiting is None:
                self._waiting = self._bars.add_task(text, total=None, rate="")
            self._bars.update(self._waiting, description=plain(text))

    def update(self, name: str, done: int, total: int | None, fps: float) -> None:
        with self._lock:
            if self._waiting is not None:
                self._bars.remove_task(self._waiting)
                self._waiting = None
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(plain(name), total=total, rate="")
            self._bars.update(self._tasks[name], completed=done, rate=f"{fps:.1f} fps")

    def finish(self, name: str) -> None:
        with self._lock:
            task = self._tasks.pop(name, None)
            if task is not None:
                self._bars.remove_task(task)

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


def progress_for(*, as_json: bool) -> AbstractContextManager[Progress]:
    """Return bars if standard error is a terminal, else lines; with `as_json` nothing is shown."""
    if as_json:
        return nullcontext(Silent())
    return Bars() if sys.stderr.isatty() else nullcontext(Lines(sys.stderr))
