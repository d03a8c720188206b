"""Signs of life of a child process: a counter in a small file that its supervisor looks at.

The judge is outside the process: one that hangs inside a library, holding Python's lock, is to be noticed as well.
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

    From a thread of its own, so that waiting for the broker, which is no fault, does not look like hanging.
    """
    path = environ.get(LIVENESS_ENV)
    if path:
        threading.Thread(target=_count_up, args=(Path(path), healthy), name="life signs", daemon=True).start()


def read_life_signs(path: Path) -> int:
    """The counter in `path`, 0 where there is none yet."""
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
