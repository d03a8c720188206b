"""One recording on its way through the pipeline, as seen from its public streams."""

from __future__ import annotations

from dataclasses import dataclass

from posebus.messages import Event, EventType, TrackFrame
from posebus.subscribing.subscription import Message
from recordings.inputs import Recording
from recordings.results.files import TracksWriter
from recordings.results.tally import Tally

END_OF_FILE = "end of file"
"""The reason that ingest gives for a regular end; any other one is a sentence about what was wrong."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recording; `error` is None if it was analysed to its end. `frames_in` counts those read."""

    recording: Recording
    tally: Tally
    frames_in: int = 0
    warning: str | None = None
    error: str | None = None


class Analysis:
    """Collects the tracks of one recording until its end was announced and everything before it has been read.

    An ingest process that crashed reads the recording again from its beginning, as a new epoch: then this begins anew.
    """

    def __init__(self, recording: Recording, writer: TracksWriter) -> None:
        self.recording = recording
        self.tally = Tally()
        self.trouble: str | None = None
        self._writer = writer
        self._epoch = 0
        self._ended: Event | None = None
        self._heard = False

    def take(self, message: Message) -> None:
        """Take one message of this recording's camera. Raises OutputError."""
        body = message.body
        self._heard = True
        if body.epoch < self._epoch:
            return
        if body.epoch > self._epoch:
            self._begin(body.epoch)
        if isinstance(body, Event):
            self._take_event(body)
        elif isinstance(body, TrackFrame) and message.provenance is not None:
            self.tally.add(body, message.provenance)
            self._writer.write(body, message.provenance)

    def over(self) -> bool:
        """Whether everything has been read; call it once after each look at the streams.

        The tracker commits the end together with, or after, the last tracks. So once the end was read, a look that
        finds nothing more has found everything, also where the last frames were skipped.
        """
        heard, self._heard = self._heard, False
        return self._ended is not None and (not heard or self.tally.last_seq == self._ended.seq - 1)

    def complete(self) -> Outcome:
        """Close the files under their names. Raises OutputError."""
        assert self._ended is not None
        self._writer.complete()
        reason = self._ended.data.get("reason")
        warning = None if reason in (None, END_OF_FILE) else str(reason)
        return Outcome(self.recording, self.tally, self._ended.seq, warning)

    def fail(self, error: str) -> Outcome:
        """Give up; what was written stays under its partial name."""
        return Outcome(self.recording, self.tally, self.tally.last_seq + 1, error=error)

    def _begin(self, epoch: int) -> None:
        if self._epoch:
            self._writer.restart()
            self.tally = Tally()
        self._epoch, self._ended, self.trouble = epoch, None, None

    def _take_event(self, event: Event) -> None:
        if event.type == EventType.CAMERA_ENDED:
            self._ended = event
        elif event.type == EventType.CAMERA_OFFLINE:
            self.trouble = str(event.data.get("reason", "its source went away"))
        elif event.type == EventType.CAMERA_ONLINE:
            self.trouble = None
