"""One process per camera, restarted when it crashes and killed when it hangs.

Restarting is `posebus.processes.Family`; here is the watchdog, for children that hang in a way that they cannot notice
themselves, such as a camera library that never returns.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.progress import PROGRESS_ENV, read_progress
from posebus.processes import Child, ChildSpec, Family

STALLED_AFTER_S = 8.0
"""Far above the half second between two signs of life: a busy machine is no reason to be killed."""
START_FACTOR = 2.5
"""A process just started has this many times as long until its first sign: it loads its libraries."""

log = logging.getLogger("posebus.ingest")


@dataclass(slots=True)
class _Sign:
    pid: int
    count: int
    changed_at_s: float
    started: bool = False


class Watchdog:
    """Kills children whose counter stands still. The kill counts as a crash, so the family restarts them."""

    def __init__(self, folder: Path, stalled_after_s: float = STALLED_AFTER_S) -> None:
        """`folder` exists and is ours alone; the counters are kept in it."""
        self._folder = folder
        self._stalled_after_s = stalled_after_s
        self._signs: dict[str, _Sign] = {}

    def watched(self, spec: ChildSpec) -> ChildSpec:
        """`spec` with the environment variable that makes the child give signs of life."""
        return replace(spec, env={**spec.env, PROGRESS_ENV: str(self._path(spec.name))})

    def check(self, children: Mapping[str, Child], now_s: float) -> list[str]:
        """Kill what hangs; returns the names. `now_s` is monotonic. Children that are not watched are left alone."""
        killed = []
        for name, child in children.items():
            if PROGRESS_ENV not in child.spec.env or child.exit_code is not None:
                continue
            count = read_progress(self._path(name))
            sign = self._signs.get(name)
            if sign is None or sign.pid != child.process.pid:
                self._signs[name] = _Sign(child.process.pid, count, now_s)
                continue
            if sign.count != count:
                sign.count, sign.changed_at_s, sign.started = count, now_s, True
            limit_s = self._stalled_after_s * (1.0 if sign.started else START_FACTOR)
            if now_s - sign.changed_at_s > limit_s:
                log.warning("%s has not moved for %g s; it is killed and started again", name, limit_s)
                child.process.kill()
                killed.append(name)
        return killed

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.progress"


class IngestSupervisor:
    """The ingest processes of one machine."""

    def __init__(self, family: Family, watchdog: Watchdog) -> None:
        self._family = family
        self._watchdog = watchdog

    def start(self, specs: Iterable[ChildSpec]) -> None:
        """Start one process per spec."""
        for spec in specs:
            self._family.start(self._watchdog.watched(spec))

    def tend(self, now_s: float) -> list[Child]:
        """Kill what hangs, restart what crashed; returns the children that ended for good (done or rejected)."""
        self._watchdog.check(self._family.children, now_s)
        return self._family.tend(now_s)
