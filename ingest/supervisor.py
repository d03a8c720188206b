"""One process per camera, restarted when it crashes and killed when it hangs (`posebus.runtime.watchdog`)."""

from __future__ import annotations

from collections.abc import Iterable

from posebus.runtime.processes import Child, ChildSpec, Family
from posebus.runtime.watchdog import Watchdog


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
