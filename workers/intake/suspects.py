"""Frames that may crash a worker: each is tried while no other frame is in flight, so that only it can be the cause."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import replace

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry
from posebus.bus.reclaim import GONE
from posebus.errors import RetryableError
from workers.inference.pipeline import InferencePipeline
from workers.intake.in_flight import InFlight
from workers.job import Job


class Suspects:
    """A queue of suspects and the one on trial. Its attempt is written down before it starts.

    If this process crashes, that attempt counts against the frame, and no other frame is blamed. The methods are for
    the intake's thread, except `withdraw`, which is called once that has stopped.
    """

    def __init__(self, consumer: FrameConsumer, pipeline: InferencePipeline, in_flight: InFlight) -> None:
        self._consumer = consumer
        self._pipeline = pipeline
        self._in_flight = in_flight
        self._waiting: deque[Job] = deque()
        self._on_trial: FrameEntry | None = None

    @property
    def pending(self) -> bool:
        """Whether a suspect waits or is on trial; no other frame may be read meanwhile."""
        return bool(self._waiting) or self._on_trial is not None

    def add(self, job: Job) -> None:
        """Queue a suspect that is already in flight."""
        self._waiting.append(job)

    def try_next(self, timeout_s: float) -> None:
        """Start the next trial, unless other entries than the waiting suspects are still in flight after `timeout_s`.

        Raises BrokerUnavailable; the trial has then not started.
        """
        if not self._in_flight.wait_for_at_most(len(self._waiting), timeout_s):
            return
        self._on_trial = None
        if self._waiting:
            job = self._waiting[0]
            self._pipeline.add_alone(job, lambda: self._begin(job))

    def withdraw(self) -> None:
        """Take back the attempt of a trial that is not over: this process leaves in order, which is not a failure."""
        entry = self._on_trial
        if entry is not None and entry.key in self._in_flight:
            with suppress(RetryableError):  # the process exits now in any case
                self._consumer.note(entry, entry.attempts[:-1])

    def _begin(self, job: Job) -> Job:
        entry = self._consumer.note(job.entry, [*job.entry.attempts, self._consumer.attempt(GONE)])
        self._on_trial = entry
        self._waiting.popleft()
        return replace(job, entry=entry)
