"""The exit of a process in which a frame hangs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from posebus.logs.about import about
from posebus.runtime.processes import EXIT_STUCK
from workers.inference.hang import Hang

LAST_COMMIT_S = 1.0
"""How long the exit waits for the commit of finished results, and again for the record of the hang."""

log = logging.getLogger("posebus.worker")


class HangExit:
    """Called with a hang, it records the hang, waits for the main thread's last commit, and calls `leave(exit code)`.

    It runs in the thread that found the hang, since the main thread may be waiting for the very thread that hangs.
    """

    def __init__(self, record: Callable[[Hang], None], leave: Callable[[int], object]) -> None:
        self._record = record
        self._leave = leave
        self._requested = threading.Event()
        self._committed = threading.Event()

    @property
    def requested(self) -> bool:
        """Whether the process is about to exit: the main thread is to commit at once and call `committed`."""
        return self._requested.is_set()

    def committed(self) -> None:
        """Let the exit continue: the finished results are committed."""
        self._committed.set()

    def __call__(self, hang: Hang) -> None:
        """Exit because of `hang`."""
        frames = ", ".join(f"camera {job.frame.camera} frame {job.frame.epoch}:{job.frame.seq}" for job in hang.jobs)
        only = hang.jobs[0].frame if len(hang.jobs) == 1 else None
        log.error(
            "the %s has not returned %s for %.0f s (worker.hang_s); this worker exits and has to be restarted",
            hang.where,
            frames or "a blank picture",
            hang.for_s,
            extra=about(only.camera, only.epoch, only.seq) if only is not None else None,
        )
        recording = threading.Thread(target=self._record, args=(hang,), daemon=True)
        recording.start()
        self._requested.set()
        self._committed.wait(LAST_COMMIT_S)
        recording.join(LAST_COMMIT_S)
        self._leave(EXIT_STUCK)
