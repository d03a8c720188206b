"""SIGHUP: read the configuration again, except when it says that the terminal of this process was closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

TERMINAL = "/dev/tty"


def on_hangup(reload: Callable[[], object], end: Callable[[], object]) -> None:
    """Call `reload` at each SIGHUP from now on, but `end` if this process has lost the terminal that it has now.

    A shell or an SSH connection that closes sends the same signal, and a deployment must not run on without anyone who
    could stop it. After `nohup` it does run on. Both functions run between two instructions of the main thread.
    """
    before = signal.getsignal(signal.SIGHUP)
    stays = before is signal.SIG_IGN or not _has_terminal()

    def received(number: int, frame: FrameType | None) -> None:
        if stays or _has_terminal():
            reload()
        else:
            end()

    signal.signal(signal.SIGHUP, received)


def _has_terminal() -> bool:
    try:
        os.close(os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
