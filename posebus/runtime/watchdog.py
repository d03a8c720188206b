"""Killing child processes that hang in a way that they cannot notice themselves.

Examples are a library call that never returns and holds Python's global lock, and a process that was stopped (SIGSTOP).
A process that notices its own hang ends by itself. `posebus.runtime.processes.ChildProcesses` restarts both.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from posebus.logs.about import about
from posebus.machine.stack_traces import DUMP_TIME_S, end_with_stack_traces
from posebus.runtime.liveness import LIVENESS_ENV, read_life_signs
from posebus.runtime.processes import Child, ChildSpec

STALLED_AFTER_S = 8.0
"""Far above the half second between two life signs, so that a busy machine kills no process."""
START_FACTOR = 2.5
"""A process that just started has this many times as long until its first sign, because it loads its libraries."""

log = logging.getLogger("posebus")


@dataclass(slots=True)
class _Sign:
    pid: int
    count: int
    changed_at_s: float
    started: bool = False
    kill_at_s: float | None = None


class Watchdog:
    """Kills children whose counter stands still. That counts as a crash, so `ChildProcesses` restarts them."""

    def __init__(
        self, folder: Path, stalled_after_s: float = STALLED_AFTER_S, *, from_first_sign: bool = False
    ) -> None:
        """`folder` exists, belongs to this watchdog alone, and holds the counters. With `from_first_sign` a child is
        left alone until its first life sign: for children that may take minutes to start."""
        self._folder = folder
        self._stalled_after_s = stalled_after_s
        self._start_factor = math.inf if from_first_sign else START_FACTOR
        self._signs: dict[str, _Sign] = {}

    def watched(self, spec: ChildSpec) -> ChildSpec:
        """`spec` with the environment variable that makes the child count up its file."""
        return replace(spec, env={**spec.env, LIVENESS_ENV: str(self._path(spec.name))})

    def check(self, children: Mapping[str, Child], now_s: float) -> list[str]:
        """Kill children that hang; returns the names of those found to hang in this call. `now_s` is monotonic.

        A child that can write its stack traces does that and ends; if it is still there after DUMP_TIME_S, a later call
        kills it. Children that are not watched are left alone.
        """
        found = []
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
            if sign.kill_at_s is None and now_s - sign.changed_at_s > limit_s:
                log.warning(
                    "%s has not moved for %g s; it is killed and started again",
                    name,
                    limit_s,
                    extra=about(child.spec.camera),
                )
                sign.kill_at_s = now_s
                if child.spec.writes_stack_traces:
                    end_with_stack_traces(child.process)
                    sign.kill_at_s += DUMP_TIME_S
                found.append(name)
            if sign.kill_at_s is not None and now_s >= sign.kill_at_s:
                child.process.kill()
        return found

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.progress"
