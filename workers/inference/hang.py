"""Noticing that a frame hangs, in the decoder or in the engine. A thread that hangs cannot be stopped: its process can.

What hangs while it holds Python's lock stops this watch too; that is for the supervisor outside
(`posebus.runtime.watchdog`).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from workers.job import Job

FIRST_TIME_FACTOR = 6.0
"""An engine sets itself up with the first frame of a new size: that may take this many times as long."""
LOOK_S = 0.25
ASLEEP_S = 5.0


@dataclass(frozen=True, slots=True)
class Hang:
    """Frames that do not come back, `where` from, and for how long they have been waited for."""

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
    """What the decoders and the engine have, and since when.

    A submission is judged once those before it are through, for an engine may take them one after the other; so an
    engine that is merely slow for many is not taken for one that hangs. Times are monotonic seconds. No locks: the
    engine's own thread reports here, and each step is a single operation on a dictionary.
    """

    def __init__(self, hang_s: float) -> None:
        self._hang_s = hang_s
        self._numbers = itertools.count()
        self._decoding: dict[int, _Running] = {}
        self._inferring: dict[int, _Running] = {}
        self._known: set[Hashable] = set()

    def decoding(self, job: Job, now_s: float) -> int:
        """A decoder begins; returns the number to say `decoded` with."""
        number = next(self._numbers)
        self._decoding[number] = _Running((job,), "decoder", now_s, self._hang_s)
        return number

    def decoded(self, number: int) -> None:
        """The decoder is through, however it went."""
        self._decoding.pop(number, None)

    def inferring(self, jobs: Sequence[Job], shape: Hashable, now_s: float) -> int:
        """The engine gets frames of `shape`, to be called before it; returns the number to say `inferred` with."""
        number = next(self._numbers)
        limit_s = self._hang_s * (1.0 if shape in self._known else FIRST_TIME_FACTOR)
        self._inferring[number] = _Running(tuple(jobs), "engine", now_s, limit_s)
        return number

    def inferred(self, number: int, now_s: float) -> None:
        """The engine is through with these, however it went."""
        self._inferring.pop(number, None)
        for later, running in list(self._inferring.items()):
            if later > number:
                running.since_s = max(running.since_s, now_s)

    def know(self, shape: Hashable) -> None:
        """The engine has computed this shape: it is set up for it."""
        self._known.add(shape)

    def knows(self, shape: Hashable) -> bool:
        """Whether the engine is set up for this shape."""
        return shape in self._known

    @property
    def has_computed(self) -> bool:
        """Whether the engine has computed anything."""
        return bool(self._known)

    def hung(self, now_s: float) -> Hang | None:
        """What has been waited for too long."""
        for running in [*list(self._decoding.values()), *list(self._inferring.values())]:
            if now_s - running.since_s > running.limit_s:
                return Hang(running.jobs, running.where, now_s - running.since_s)
        return None

    def slept(self, now_s: float) -> None:
        """This process was stopped for a while: everybody's time begins anew."""
        for running in [*list(self._decoding.values()), *list(self._inferring.values())]:
            running.since_s = now_s


class HangGuard:
    """A thread that looks for hangs and calls `end` with the first one, once."""

    def __init__(self, watch: HangWatch, end: Callable[[Hang], None]) -> None:
        self._watch = watch
        self._end = end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="look for hangs", daemon=True)

    def start(self) -> None:
        """Begin; harmless if it has."""
        if self._thread.ident is None and not self._stopping.is_set():
            self._thread.start()

    def stop(self) -> None:
        """End within a moment."""
        self._stopping.set()

    def _run(self) -> None:
        looked_at_s = time.monotonic()
        while not self._stopping.wait(LOOK_S):
            now_s = time.monotonic()
            if now_s - looked_at_s > ASLEEP_S:
                self._watch.slept(now_s)
            looked_at_s = now_s
            hang = self._watch.hung(now_s)
            if hang is not None:
                self._end(hang)
                return
