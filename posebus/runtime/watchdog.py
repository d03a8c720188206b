"""Killing child processes that hang in a way that they cannot notice themselves.

Such as inside a library that never returns and holds Python's lock, or because somebody stopped them (SIGSTOP). What a
process notices itself it ends by itself; restarting is `posebus.runtime.processes.ChildProcesses`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from posebus.runtime.liveness import LIVENESS_ENV, read_life_signs
from posebus.runtime.processes import Child, ChildSpec

STALLED_AFTER_S = 8.0
"""Far above the half second between two signs of life: a busy machine is no reason to be killed."""
START_FACTOR = 2.5
"""A process just started has this many times as long until its first sign: it loads its libraries."""

log = logging.getLogger("posebus")


@dataclass(slots=True)
class _Sign:
    pid: int
    count: int
    changed_at_s: float
    started: bool = False


class Watchdog:
    """Kills children whose counter stands still. The kill counts as a crash, so the processes restarts them."""

    def __init__(
        self, folder: Path, stalled_after_s: float = STALLED_AFTER_S, *, from_first_sign: bool = False
    ) -> None:
        """`folder` exists and is ours alone; the counters are kept in it. `from_first_sign` leaves a child alone until
        it has given a sign of life: for those that may take minutes to begin."""
        self._folder = folder
        self._stalled_after_s = stalled_after_s
        self._start_factor = math.inf if from_first_sign else START_FACTOR
        self._signs: dict[str, _Sign] = {}

    def watched(self, spec: ChildSpec) -> ChildSpec:
        """`spec` with the environment variable that makes the child give signs of life."""
        return replace(spec, env={**spec.env, LIVENESS_ENV: str(self._path(spec.name))})

    def check(self, children: Mapping[str, Child], now_s: float) -> list[str]:
        """Kill what hangs; returns the names. `now_s` is monotonic. Children that are not watched are left alone."""
        killed = []
        for name, child in children.items():
            if LIVENESS_ENV not in child.spec.env or child.exit_code is not None:
                continue
            count = read_life_signs(self._path(name))
            sign = self._signs.get(name)
            if sign is None or sign.pid != child.process.pid:
                self._signs[name] = _Sign(child.process.pid, count, now_s)
                continue
            if sign.count != count:
                sign.count, sign.changed_at_s, sign.started = count, now_s, True
            limit_s = self._stalled_after_s * (1.0 if sign.started else self._start_factor)
            if now_s - sign.changed_at_s > limit_s:
                log.warning("%s has not moved for %g s; it is killed and started again", name, limit_s)
                child.process.kill()
                killed.append(name)
        return killed

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.progress"
