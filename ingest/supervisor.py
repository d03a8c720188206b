"""One process per camera, restarted when it crashes and killed when it hangs (`posebus.runtime.watchdog`)."""

from __future__ import annotations

from collections.abc import Iterable

from posebus.runtime.processes import Child, ChildProcesses, ChildSpec
from posebus.runtime.watchdog import Watchdog


class IngestSupervisor:
    """The ingest processes of one machine."""

    def __init__(self, processes: ChildProcesses, watchdog: Watchdog) -> None:
        self._processes = processes
        self._watchdog = watchdog

    def start(self, specs: Iterable[ChildSpec]) -> None:
        """Start one process per spec."""
        for spec in specs:
            self._processes.start(self._watchdog.watched(spec))

    def restart_crashed(self, now_s: float) -> list[Child]:
        """Kill what hangs, restart what crashed; returns the children that ended for good (done or rejected)."""
        self._watchdog.check(self._processes.children, now_s)
        return self._processes.restart_crashed(now_s)
