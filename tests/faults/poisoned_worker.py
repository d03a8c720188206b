"""A worker with the real engine, in which pictures of some colours cause crashes and hangs of different kinds.

Run it as `python poisoned_worker.py --config FILE`, like `python -m workers`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

import workers.process
from posebus.config.settings import WorkerSettings
from workers.__main__ import main
from workers.detections import Detections
from workers.engine_loading import load_engine
from workers.engines.base import Engine


class PoisonedEngine:
    """`engine`, except for pictures of one of the colours of POISONS."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def submit(self, prepared: Sequence[Any], *, low_latency: bool = False) -> Future[list[Detections]]:
        for rows in prepared:
            for colour, poison in POISONS.items():
                if is_of(colour, rows):
                    poison()
        return self._engine.submit(prepared, low_latency=low_latency)


def is_of(colour: tuple[int, int, int], rows: np.ndarray) -> bool:
    """Whether the middle of a letterboxed picture, u8 (H, W, 3) RGB, is of this colour."""
    height, width = rows.shape[:2]
    middle = rows[height // 4 : -height // 4, width // 4 : -width // 4].reshape(-1, 3)
    return bool(np.abs(middle.astype(int) - colour).max() < 12)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


def hang() -> None:
    time.sleep(3600)


def hang_with_the_lock() -> None:
    ctypes.PyDLL(None).sleep(3600)


MAGENTA, CYAN, YELLOW = (255, 0, 255), (0, 255, 255), (255, 255, 0)
POISONS = {MAGENTA: crash, CYAN: hang, YELLOW: hang_with_the_lock}


def load(settings: WorkerSettings, cache_dir: Path) -> Any:
    return PoisonedEngine(load_engine(settings, cache_dir))


if __name__ == "__main__":
    workers.process.load_engine = load  # type: ignore[assignment]
    main()
