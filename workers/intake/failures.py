"""What counts against a frame: attempts that failed or hung, written down for whoever takes it next."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from posebus.bus.frame_consumer import FrameConsumer, FrameEntry, PoseResult
from posebus.errors import RetryableError
from workers.inference.frame_job import Failed
from workers.inference.hang import Hang
from workers.intake.in_flight import InFlight
from workers.intake.triage import hopeless
from workers.job import dead_letter

OUTCOME_LENGTH = 200


class Failures:
    """Used by the committing thread, but for `hung`."""

    def __init__(self, reader: FrameConsumer, held: InFlight, max_attempts: int) -> None:
        self._reader = reader
        self._held = held
        self._max_attempts = max_attempts
        self._unwritten: list[FrameEntry] = []

    def failed(self, outcome: Failed) -> PoseResult | None:
        """The result for a frame that failed for the last time; None for one that is left to other workers."""
        entry = outcome.job.entry
        if not outcome.alone:
            # Perhaps it was another one of its batch: whoever takes it tries it alone.
            self._held.release([entry])
            return None
        entry = self._with_attempt(entry, f"{type(outcome.error).__name__}: {outcome.error}")
        reason = hopeless(entry, self._max_attempts)
        if reason is not None:
            return dead_letter(entry, reason)
        self._unwritten.append(entry)
        return None

    def write(self) -> None:
        """Write down what failed, and leave these frames to others. What cannot be written now is by the next call."""
        while self._unwritten:
            entry = self._unwritten[0]
            self._reader.note(entry, entry.attempts)
            self._held.refuse(entry)
            self._unwritten.pop(0)

    def hung(self, hang: Hang) -> None:
        """This process is about to end for a frame that hangs. Of several together nobody knows which one it is."""
        if len(hang.jobs) == 1:
            entry = self._with_attempt(hang.jobs[0].entry, f"it hung in the {hang.where} for {hang.for_s:.0f} s")
            self._note(entry)

    def withdraw(self, entry: FrameEntry) -> None:
        """This process leaves in order before an attempt came to its end: that does not count."""
        self._note(replace(entry, attempts=entry.attempts[:-1]))

    def _note(self, entry: FrameEntry) -> None:
        with suppress(RetryableError):  # the process ends now, with or without
            self._reader.note(entry, entry.attempts)

    def _with_attempt(self, entry: FrameEntry, outcome: str) -> FrameEntry:
        # A suspect's last attempt is the one under way, which was written down when it began.
        before = entry.attempts[:-1] if entry.suspect else entry.attempts
        return replace(entry, attempts=(*before, self._reader.attempt(outcome[:OUTCOME_LENGTH])))
