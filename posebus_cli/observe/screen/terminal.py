"""The terminal while a command fills it: keys come one by one, and afterwards it is as it was before."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from posebus_cli.observe.screen.keys import Key, keys_in

if TYPE_CHECKING:
    from rich.live import Live

MOST_BYTES = 1024


class Keyboard:
    """Reads keys from standard input, if that is a terminal. Use it in a `with` statement.

    Inside, SIGTERM and SIGHUP end the process with SystemExit, so that everything around it is undone; Ctrl-Z suspends
    it, which `suspended` handles.
    """

    def __init__(self) -> None:
        self._input = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._saved: list[object] | None = None
        self._suspend = False

    def __enter__(self) -> Keyboard:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _exit)
        signal.signal(signal.SIGTSTP, self._on_suspend)
        self._take()
        return self

    def __exit__(self, *error: object) -> None:
        self._give_back()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
            signal.signal(number, signal.SIG_DFL)

    def wait(self, timeout_s: float) -> list[Key]:
        """Return the keys that were pressed, as soon as there are any, at the latest after `timeout_s`."""
        inputs = [] if self._input is None else [self._input]
        ready, _, _ = select.select(inputs, [], [], timeout_s)
        if not ready or self._input is None:
            return []
        typed = os.read(self._input, MOST_BYTES)
        if not typed:
            self._input = None  # the terminal has gone
        return keys_in(typed)

    def stop_if_suspended(self, live: Live) -> bool:
        """After Ctrl-Z: give the terminal back, stop, and take it again when the process is continued.

        Returns whether it was suspended.
        """
        if not self._suspend:
            return False
        self._suspend = False
        live.stop()
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()
        live.start()
        return True

    def _take(self) -> None:
        if self._input is not None:
            self._saved = termios.tcgetattr(self._input)
            tty.setcbreak(self._input)

    def _give_back(self) -> None:
        if self._input is not None and self._saved is not None:
            termios.tcsetattr(self._input, termios.TCSADRAIN, self._saved)  # type: ignore[arg-type]

    def _on_suspend(self, number: int, frame: FrameType | None) -> None:
        self._suspend = True


@contextmanager
def full_screen(live: Live) -> Iterator[Keyboard]:
    """Show `live` on the whole terminal; after it, also after an error or a signal, the terminal is as before."""
    with Keyboard() as keyboard, live:
        yield keyboard


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
