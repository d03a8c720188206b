"""The attempts that count against a frame: written down for the next worker, and limited in number."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.errors import RetryableError
from posebus.wording import counted
from workers.inference.frame_job import Failed
from workers.inference.hang import Hang
from workers.intake.in_flight import InFlight
from workers.job import dead_letter

OUTCOME_LENGTH = 200
REDELIVERY_FACTOR = 20
"""An entry may be delivered this many times as often as it may fail. After that it is given up even if no attempt
counts against it, because it would circulate for ever."""


def exhausted_reason(entry: FrameEntry, max_attempts: int) -> str | None:
    """Return why the entry is not tried again; None while it may be."""
    attempts = entry.attempts
    if len(attempts) >= max_attempts:
        workers = len({attempt.worker for attempt in attempts})
        times = f"{counted(len(attempts), 'attempt')} in {counted(workers, 'worker')}"
        return f"given up after {times}; the last: {attempts[-1].outcome}"
    if entry.deliveries > REDELIVERY_FACTOR * max_attempts:
        return f"given up after {entry.deliveries - 1} deliveries: every worker that took it ended before it answered"
    return None


class Failures:
    """Records failed attempts. All methods are for the committing thread, except `record_hang`."""

    def __init__(self, consumer: FrameConsumer, in_flight: InFlight, max_attempts: int) -> None:
        self._consumer = consumer
        self._in_flight = in_flight
        self._max_attempts = max_attempts
        self._unwritten: list[FrameEntry] = []

    def record(self, failed: Failed) -> PoseResult | None:
        """Return the dead letter of a frame that failed for the last time; None for one that other workers may try.

        The attempt is written down by the next call of `write`.
        """
        entry = failed.job.entry
        if not failed.alone:
            # Another frame of its batch may have been the cause: the worker that reclaims it tries it alone.
            self._in_flight.release([entry])
            return None
        entry = self._with_attempt(entry, f"{type(failed.error).__name__}: {failed.error}")
        reason = exhausted_reason(entry, self._max_attempts)
        if reason is not None:
            return dead_letter(entry, reason)
        self._unwritten.append(entry)
        return None

    def write(self) -> None:
        """Write down the failed attempts and leave these frames to other workers.

        Raises RetryableError; the next call continues with the entry that could not be written.
        """
        while self._unwritten:
            entry = self._unwritten[0]
            self._consumer.note(entry, entry.attempts)
            self._in_flight.refuse(entry)
            self._unwritten.pop(0)

    def record_hang(self, hang: Hang) -> None:
        """Write down a frame that hangs, as the process is about to exit.

        Of several frames together it is not known which one hangs, so that none of them is blamed.
        """
        if len(hang.jobs) == 1:
            entry = self._with_attempt(hang.jobs[0].entry, f"it hung in the {hang.where} for {hang.for_s:.0f} s")
            with suppress(RetryableError):  # the process exits now in any case
                self._consumer.note(entry, entry.attempts)

    def _with_attempt(self, entry: FrameEntry, outcome: str) -> FrameEntry:
        # The last attempt of a suspect is the current one, which was written down before it started.
        before = entry.attempts[:-1] if entry.suspect else entry.attempts
        return replace(entry, attempts=(*before, self._consumer.attempt(outcome[:OUTCOME_LENGTH])))
