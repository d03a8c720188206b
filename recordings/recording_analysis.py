"""The analysis of one recording, followed on its public streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posebus.messages import Event, EventType, TrackFrame
from posebus.subscribing.subscription import Message
from recordings.inputs import Recording
from recordings.results.people.person import Person
from recordings.results.tally import Tally
from recordings.results.tracks_writer import TracksWriter

END_OF_FILE = "end of file"
"""The reason that the ingest gives for a regular end; any other reason is a sentence about a problem."""

ADVISING = (EventType.CAMERA_IMGSZ, EventType.CAMERA_RATE)
"""Events whose newest `advice` is shown with the result."""


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """What the analysis of one recording gave. `error` is None if it came to its end; `frames_in` are frames read."""

    recording: Recording
    tally: Tally
    frames_in: int = 0
    warning: str | None = None
    error: str | None = None
    people: Sequence[Person] = ()


class RecordingAnalysis:
    """Collects the tracks of one recording until its end was announced and all tracks before it have been read.

    `trouble` is why its source gives no pictures at the moment (`last_trouble`: or gave none), and `broken` why its
    messages cannot be collected. `beginnings` counts how often it was read from its beginning.

    An ingest process that crashed reads the recording again from its beginning, as a new epoch: the tracks collected so
    far are then dropped.
    """

    def __init__(self, recording: Recording, writer: TracksWriter) -> None:
        self.recording = recording
        self.tally = Tally()
        self.trouble: str | None = None
        self.last_trouble: str | None = None
        self.broken: str | None = None
        self.beginnings = 0
        self._writer = writer
        self._epoch = 0
        self._ended: Event | None = None
        self._advice: dict[str, str] = {}
        self._received_since_check = False
        self._offline_since_s: float | None = None
        self._pids: set[int] = set()

    def processes(self, pid: int) -> int:
        """Note the process that reads the recording now; returns how many there have been."""
        self._pids.add(pid)
        return len(self._pids)

    def offline_s(self, now_s: float) -> float:
        """Return for how long the source has given nothing by its own account (`now_s` is monotonic)."""
        if self.trouble is None or self._ended is not None:
            self._offline_since_s = None
            return 0.0
        if self._offline_since_s is None:
            self._offline_since_s = now_s
        return now_s - self._offline_since_s

    def add(self, message: Message) -> None:
        """Add one message of this recording's camera. Raises OutputError."""
        body = message.body
        self._received_since_check = True
        if body.epoch < self._epoch:
            return
        if body.epoch > self._epoch:
            self._start_epoch(body.epoch)
        if isinstance(body, Event):
            self._add_event(body)
        elif isinstance(body, TrackFrame) and message.provenance is not None:
            self.tally.add(body, message.provenance)
            self._writer.write(body, message.provenance)

    def is_over(self) -> bool:
        """Return whether every message has been read; to be called once after each poll of the streams.

        The tracker commits the end together with the last tracks, or after them. So once the end has been read, a poll
        that returns nothing more means that all tracks have been read, even if the last frames were skipped.
        """
        received, self._received_since_check = self._received_since_check, False
        return self._ended is not None and (not received or self.tally.last_seq == self._ended.seq - 1)

    def complete(self) -> RecordingResult:
        """Close the files and give them their final names. Raises OutputError."""
        assert self._ended is not None
        self._writer.complete()
        reason = self._ended.data.get("reason")
        problems = [None if reason in (None, END_OF_FILE) else str(reason), *self._advice.values()]
        warning = "; ".join(text for text in problems if text is not None) or None
        people = [] if self._writer.people is None else self._writer.people.people
        return RecordingResult(self.recording, self.tally, frames_in=self._ended.seq, warning=warning, people=people)

    def fail(self, error: str) -> RecordingResult:
        """Give up; the files keep their partial names."""
        return RecordingResult(self.recording, self.tally, frames_in=self.tally.last_seq + 1, error=error)

    def _start_epoch(self, epoch: int) -> None:
        if self._epoch:
            self._writer.restart()
            self.tally = Tally()
        self._epoch, self._ended, self.trouble, self._advice = epoch, None, None, {}
        self.beginnings += 1

    def _add_event(self, event: Event) -> None:
        if self._writer.events is not None:
            self._writer.events.add(event)
        if event.type == EventType.CAMERA_ENDED:
            self._ended = event
        elif event.type in ADVISING and isinstance(advice := event.data.get("advice"), str):
            self._advice[event.type] = f"{self.recording.name}: {advice}"
        elif event.type == EventType.CAMERA_OFFLINE:
            self.trouble = self.last_trouble = str(event.data.get("reason", "its source went away"))
        elif event.type == EventType.CAMERA_ONLINE:
            self.trouble = None
