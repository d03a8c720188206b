"""The sink `tally`: a CSV file with the number of people in each frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posebus import Message, TrackFrame, TrackState
from posebus.errors import ConfigError
from posebus.sinks import SinkSpec


class Tally:
    """Appends a line for each frame with tracks."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def write(self, message: Message) -> None:
        """Handle one message. After an exception the same message comes again, so nothing is caught here."""
        frame = message.body
        if isinstance(frame, TrackFrame):
            people = sum(track.state == TrackState.CONFIRMED for track in frame.tracks)
            self._file.write(f"{frame.camera},{frame.epoch},{frame.seq},{people}\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_tally(options: Mapping[str, Any]) -> Tally:
    """Open the sink with the `options:` of its settings."""
    if set(options) != {"path"}:
        raise ConfigError("the sink tally takes one option, path: the file to which it appends")
    return Tally(Path(options["path"]))


SPEC = SinkSpec("tally", open_tally)
