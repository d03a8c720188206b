"""A time limit for calls into libraries that may wait for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def within(limit_s: float, call: Callable[[], Result], doing: str) -> Result | None:
    """Return the result of `call`, or None if it takes longer; raises what it raises.

    Libraries wait without a limit for some devices, disks and servers. The thread of a call that is late, which is
    called `doing`, is left behind.
    """
    found: list[Result] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            found.append(call())
        except Exception as error:  # noqa: BLE001 - it is raised below, in the thread of the caller
            failed.append(error)

    thread = threading.Thread(target=run, name=doing, daemon=True)
    thread.start()
    thread.join(limit_s)
    if failed:
        raise failed[0]
    return found[0] if found else None
