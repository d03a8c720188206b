"""Life signs of a child process: a counter in a small file, which its supervisor reads.

The decision is made outside the process, so that a process that hangs inside a library and holds Python's global lock
is noticed, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

LIVENESS_ENV = "POSEBUS_LIVENESS_FILE"
EVERY_S = 0.5
COUNTER_BYTES = 8


def give_life_signs(environ: Mapping[str, str], healthy: Callable[[float], bool]) -> None:
    """Count up the file that the environment names while `healthy(now_s)`; does nothing without a supervisor.

    A thread of its own does it, so that a process that waits for the broker, which is no fault, does not seem to hang.
    """
    path = environ.get(LIVENESS_ENV)
    if path:
        threading.Thread(target=_count_up, args=(Path(path), healthy), name="life signs", daemon=True).start()


def read_life_signs(path: Path) -> int:
    """The counter in `path`, 0 if the file does not exist yet."""
    try:
        return int.from_bytes(path.read_bytes()[:COUNTER_BYTES], "little")
    except FileNotFoundError:
        return 0


def _count_up(path: Path, healthy: Callable[[float], bool]) -> None:
    count = read_life_signs(path)
    while True:
        if healthy(time.monotonic()):
            count += 1
            path.write_bytes(count.to_bytes(COUNTER_BYTES, "little"))
        time.sleep(EVERY_S)
