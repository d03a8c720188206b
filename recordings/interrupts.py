"""Ctrl-C and SIGTERM both stop a command in order, once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(signals: Sequence[signal.Signals] = SIGNALS) -> Iterator[None]:
    """Raise KeyboardInterrupt inside the context at the first of `signals`; later ones are ignored.

    Stopping the children takes a moment, and its time is limited. A second signal must not cut it short, or files and
    keys of the run would be left behind. Only the main thread may use this.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def noticed(signals: Sequence[signal.Signals] = SIGNALS) -> Iterator[Callable[[], bool]]:
    """Inside the context, `signals` interrupt nothing; the function that it gives returns whether one has come.

    For work whose every step has to be finished, such as writing one frame into several files. Only the main thread may
    use this.
    """
    with _noted(signals) as came:
        yield lambda: bool(came)


@contextmanager
def uninterrupted(signals: Sequence[signal.Signals] = SIGNALS) -> Iterator[None]:
    """A signal that comes inside the context takes effect at its end: for a step that has to be finished.

    Only the main thread is interrupted by signals; in others this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    try:
        with _noted(signals) as came:
            yield
    finally:
        if came:
            signal.raise_signal(came[0])


@contextmanager
def _noted(signals: Sequence[signal.Signals]) -> Iterator[list[int]]:
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in signals}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
