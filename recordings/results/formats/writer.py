"""What every writer of a format does, and the writer of formats that are lines of text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from posebus.errors import OutputError
from posebus.messages import TrackFrame
from posebus.tables.columns import KEYPOINTS
from recordings.results.files import PartialFile

FILE_EPOCH = 1
"""A file holds one reading of its recording. The number of the epoch in the broker is a time, by which the files of two
runs would differ."""

Message = dict[str, Any]
"""A frame as the JSON object of the stream `tracks`: its numbers are rounded, and all formats hold these."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is written: the tracks of the recording `name`, in `formats`.

    `settings` are those of its analysis (JSON), and `rules` those of its camera, as in the configuration.
    """

    folder: Path
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    rules: dict[str, Any] = field(default_factory=dict)


def check_keypoints(message: Message, path: Path) -> None:
    """Raise OutputError if a person has other keypoints than those for which `path` has places."""
    for track in message["tracks"]:
        keypoints = track["keypoints_px"]
        if keypoints is not None and len(keypoints) != KEYPOINTS:
            raise OutputError(
                f"{path} cannot be written: it has places for the {KEYPOINTS} keypoints of COCO, and the model gives "
                f"{len(keypoints)}; choose jsonl or mot with --format"
            )


class FormatWriter(Protocol):
    """Writes the frames of one recording, in order and with final numbers, into a file of one format.

    The file has a partial name until `complete`. All methods raise OutputError.
    """

    def write(self, frame: TrackFrame, message: Message) -> None:
        """Append a frame; `message` is the same frame as a JSON object."""

    def restart(self) -> None:
        """Delete all that was written so far."""

    def complete(self) -> None:
        """Close the file and give it its final name."""

    def close(self) -> None:
        """Close the file; an incomplete one keeps its partial name."""


ToText = Callable[[TrackFrame, Message], str]


class TextWriter:
    """A format whose file is `header` and then the text of each frame.

    `begin` returns the function that turns a frame into text; it is called again when the recording is read again.
    """

    def __init__(self, path: Path, begin: Callable[[], ToText], header: str = "") -> None:
        """Raises OutputError, as all methods do."""
        self._begin = begin
        self._header = header
        self._file = PartialFile(path)
        self._start()

    def write(self, frame: TrackFrame, message: Message) -> None:
        """Append a frame."""
        self._file.write(self._to_text(frame, message))

    def restart(self) -> None:
        """Delete all that was written so far."""
        self._file.restart()
        self._start()

    def complete(self) -> None:
        """Close the file and give it its final name."""
        self._file.complete()

    def close(self) -> None:
        """Close the file; an incomplete one keeps its partial name."""
        self._file.close()

    def _start(self) -> None:
        self._to_text = self._begin()
        self._file.write(self._header)
