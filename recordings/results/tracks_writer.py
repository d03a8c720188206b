"""The tracks of one recording in the files of all chosen formats, with final numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from posebus.contract.public_json import track_frame_to_json
from posebus.errors import OutputError
from posebus.messages import Provenance, TrackFrame
from posebus.subscribing.renaming import FinalIds
from recordings.results.events import EventsFile
from recordings.results.formats.table import DEFAULT, open_writer
from recordings.results.formats.writer import FILE_EPOCH, FormatWriter, Target
from recordings.results.people.table import PeopleTable


class TracksWriter:
    """The files of the tracks of one recording; each frame is held back until its numbers are final.

    people: the table of people, and events: the events, with their files; each None if it is not among `formats`.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        formats: Sequence[str] = DEFAULT,
        settings: Mapping[str, Any] | None = None,
        rules: Mapping[str, Any] | None = None,
    ) -> None:
        """`settings` are those of the analysis, for formats that keep them; `rules` are those whose events are written.

        Raises OutputError, as all methods do.
        """
        target = Target(folder, name, dict(settings or {}), tuple(formats), dict(rules or {}))
        self.people: PeopleTable | None = None
        self.events: EventsFile | None = None
        self.jsonl_path = folder / f"{name}.tracks.jsonl"
        self._name = name
        self._final: FinalIds[Provenance] = FinalIds()
        self._writers: list[FormatWriter] = []
        with ExitStack() as opened:
            for one in formats:
                writer = open_writer(one, target)
                opened.callback(writer.close)
                self._writers.append(writer)
                if isinstance(writer, PeopleTable):
                    self.people = writer
                elif isinstance(writer, EventsFile):
                    self.events = writer
            opened.pop_all()

    def write(self, frame: TrackFrame, provenance: Provenance) -> None:
        """Take the next frame; frames must come in order."""
        self._append(self._final.push(frame, provenance))

    def restart(self) -> None:
        """Delete all that was written so far, because the recording is read again."""
        self._final.rest()
        for writer in self._writers:
            writer.restart()

    def complete(self) -> None:
        """Write the frames that are still held back, and give all files their final names."""
        self._append(self._final.rest())
        for writer in self._writers:
            writer.complete()

    def close(self) -> None:
        """Write the frames that are still held back; the files of an incomplete recording keep their partial names."""
        with ExitStack() as closing:
            for writer in self._writers:
                closing.callback(writer.close)
            with suppress(OutputError):  # the reason why writing stopped matters more than its last frames
                self._append(self._final.rest())

    def __enter__(self) -> TracksWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, frames: Iterable[tuple[TrackFrame, Provenance]]) -> None:
        for frame, provenance in frames:
            named = replace(frame, camera=self._name, epoch=FILE_EPOCH)
            message = track_frame_to_json(named, provenance, provenance.published_at_ns)
            for writer in self._writers:
                writer.write(named, message)
