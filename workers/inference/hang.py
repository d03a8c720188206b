"""Detection of frames that hang in the decoder or in the engine. A thread cannot be stopped, but its process can.

A frame that hangs while it holds Python's global interpreter lock stops this watch, too; the supervisor outside the
process covers that case (`posebus.runtime.watchdog`).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from workers.job import Job

FIRST_TIME_FACTOR = 6.0
"""An engine sets itself up with the first frame of a new size, which may take this many times as long."""
CHECK_EVERY_S = 0.25
SUSPENDED_S = 5.0
"""If a check comes this late, the whole process was suspended."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Frames that the decoder or the engine (`where`) has not returned for `for_s`."""

    jobs: tuple[Job, ...]
    where: str
    for_s: float


@dataclass(slots=True)
class _Running:
    jobs: tuple[Job, ...]
    where: str
    since_s: float
    limit_s: float


class HangWatch:
    """What the decoders and the engine are working on, and since when. Times are monotonic seconds.

    The time of a submission counts from the end of the ones before it, because an engine may compute one after the
    other; so an engine that is merely slow with many is not mistaken for one that hangs. No locks: the engine's own
    thread reports here, and each method is a single operation on a dictionary.
    """

    def __init__(self, hang_s: float) -> None:
        self._hang_s = hang_s
        self._tickets = itertools.count()
        self._decoding: dict[int, _Running] = {}
        self._inferring: dict[int, _Running] = {}
        self._known: set[Hashable] = set()

    def decoding(self, job: Job, now_s: float) -> int:
        """Record that a decoder starts; returns the ticket for `decoded`."""
        ticket = next(self._tickets)
        self._decoding[ticket] = _Running((job,), "decoder", now_s, self._hang_s)
        return ticket

    def decoded(self, ticket: int) -> None:
        """Record that the decoder has returned, with or without an error."""
        self._decoding.pop(ticket, None)

    def inferring(self, jobs: Sequence[Job], shape: Hashable, now_s: float) -> int:
        """Record that the engine is about to get inputs of `shape`; returns the ticket for `inferred`."""
        ticket = next(self._tickets)
        limit_s = self._hang_s * (1.0 if shape in self._known else FIRST_TIME_FACTOR)
        self._inferring[ticket] = _Running(tuple(jobs), "engine", now_s, limit_s)
        return ticket

    def inferred(self, ticket: int, now_s: float) -> None:
        """Record that the engine has returned these inputs, with or without an error."""
        self._inferring.pop(ticket, None)
        for later, running in list(self._inferring.items()):
            if later > ticket:
                running.since_s = max(running.since_s, now_s)

    def know(self, shape: Hashable) -> None:
        """Record that the engine has computed this shape, and thus is set up for it."""
        self._known.add(shape)

    def knows(self, shape: Hashable) -> bool:
        """Whether the engine is set up for this shape."""
        return shape in self._known

    @property
    def has_computed(self) -> bool:
        """Whether the engine has computed anything."""
        return bool(self._known)

    def hung(self, now_s: float) -> Hang | None:
        """Return what has taken longer than its limit; None if nothing has."""
        for running in [*list(self._decoding.values()), *list(self._inferring.values())]:
            if now_s - running.since_s > running.limit_s:
                return Hang(running.jobs, running.where, now_s - running.since_s)
        return None

    def restart_clocks(self, now_s: float) -> None:
        """Count all times from `now_s`, since this process was suspended for a while."""
        for running in [*list(self._decoding.values()), *list(self._inferring.values())]:
            running.since_s = now_s


class HangGuard:
    """A thread that checks a watch for hangs and calls `on_hang` with the first one, once."""

    def __init__(self, watch: HangWatch, on_hang: Callable[[Hang], None]) -> None:
        self._watch = watch
        self._on_hang = on_hang
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch for hangs", daemon=True)

    def start(self) -> None:
        """Start the thread, unless it was started or stopped before."""
        if self._thread.ident is None and not self._stopping.is_set():
            self._thread.start()

    def stop(self) -> None:
        """Let the thread end at its next check."""
        self._stopping.set()

    def _run(self) -> None:
        checked_at_s = time.monotonic()
        while not self._stopping.wait(CHECK_EVERY_S):
            now_s = time.monotonic()
            if now_s - checked_at_s > SUSPENDED_S:
                self._watch.restart_clocks(now_s)
            checked_at_s = now_s
            hang = self._watch.hung(now_s)
            if hang is not None:
                self._on_hang(hang)
                return
