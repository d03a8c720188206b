"""One live camera of a run: its tracks on their way into files, its counts, and what went wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from posebus.config.settings import CameraSettings
from posebus.messages import Event, EventType, TrackFrame
from posebus.subscribing.subscription import Message
from recordings.live.camera import LiveCamera
from recordings.live.one_epoch import OneEpoch
from recordings.recording_analysis import ADVISING, END_OF_FILE
from recordings.results.formats.table import STANDARD
from recordings.results.tracks_writer import TracksWriter


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A source that gives pictures: `name` is that of its files, `camera` that of its streams, `fps` its own rate."""

    source: str
    name: str
    camera: str
    settings: CameraSettings
    size_px: tuple[int, int]
    fps: float | None


@dataclass(slots=True)
class RecordedCamera:
    """Writes the files of the tracks from the first frame on; a camera without a frame has no files.

    `problem` is why the source gives no pictures now, `error` why the whole camera has failed.
    """

    source: LiveSource
    folder: Path
    formats: Sequence[str] = STANDARD
    counts: LiveCamera = field(init=False)
    problem: str | None = None
    error: str | None = None
    is_over: bool = False
    interruptions: list[str] = field(default_factory=list)
    first_captured_at_ns: int = 0
    last_captured_at_ns: int = 0
    _numbers: OneEpoch = field(default_factory=OneEpoch)
    _writer: TracksWriter | None = None
    _advice: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.counts = LiveCamera(self.source.name)

    def add(self, message: Message) -> str | None:
        """Take one message of the camera; returns a sentence that is worth showing. Raises OutputError."""
        body = message.body
        if isinstance(body, Event):
            return self._add_event(body)
        if not isinstance(body, TrackFrame) or message.provenance is None:
            return None
        frame = self._numbers.add(body)
        if frame is None:
            return None
        if self._writer is None:
            # Its events are numbered by connection, unlike the frames in the files.
            formats = [one for one in self.formats if one != "events"]
            self._writer = TracksWriter(self.folder, self.source.name, formats)
            self.first_captured_at_ns = frame.captured_at_ns
        self.last_captured_at_ns = frame.captured_at_ns
        self.counts.add(frame, message.provenance)
        self._writer.write(frame, message.provenance)
        return None

    @property
    def reconnects(self) -> int:
        """How often the source was connected again."""
        return max(0, self._numbers.connections - 1)

    @property
    def tracks_path(self) -> Path | None:
        """NAME.tracks.jsonl; None without a frame."""
        return None if self._writer is None else self._writer.jsonl_path

    @property
    def warnings(self) -> list[str]:
        """Sentences about the results: interruptions, and advice of the tracker."""
        return [*self.interruptions, *self._advice.values()]

    def complete(self) -> None:
        """Give the files their final names. Raises OutputError."""
        if self._writer is not None:
            self._writer.complete()

    def close(self) -> None:
        """Close the files; incomplete ones keep their partial names."""
        if self._writer is not None:
            self._writer.close()

    def _add_event(self, event: Event) -> str | None:
        if event.type == EventType.CAMERA_ENDED:
            self.is_over = True
            reason = event.data.get("reason")
            return None if reason in (None, END_OF_FILE) else f"{self.source.name}: {reason}"
        if event.type in ADVISING and isinstance(advice := event.data.get("advice"), str):
            self._advice[event.type] = advice
        elif event.type == EventType.CAMERA_OFFLINE:
            self.problem = str(event.data.get("reason", "its source went away"))
            self.interruptions.append(f"offline: {self.problem}")
            return f"{self.source.name} is offline: {self.problem}"
        elif event.type == EventType.CAMERA_ONLINE and self.problem is not None:
            self.problem = None
            return f"{self.source.name} is online again"
        return None
