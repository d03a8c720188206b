"""The pictures of a recording that was analysed: its annotated video, and a snapshot of each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from posebus.config.settings import CameraSettings
from recordings.progress import Progress
from recordings.results.people.person import Person
from recordings.results.people.snapshots import Snapshots, take_snapshots
from recordings.results.video import PLAIN, Style, annotate


@dataclass(frozen=True, slots=True)
class Pictures:
    """Which pictures are made of the recording whose tracks are in `jsonl`: files called `name` in `folder`."""

    folder: Path
    name: str
    jsonl: Path
    video: bool
    snapshots: bool
    style: Style = PLAIN

    def make(self, source: CameraSettings, people: Sequence[Person], progress: Progress) -> Sequence[Person]:
        """Read the recording once more and write its pictures; returns `people`, with their snapshots if there are any.

        Raises OutputError and the errors of reading the source.
        """
        snapshots = Snapshots(self.folder, self.name, people) if self.snapshots else None
        if self.video:
            see = None if snapshots is None else snapshots.see
            annotate(source, self.jsonl, self.name, progress, target=self.folder, style=self.style, see=see)
            return people if snapshots is None else snapshots.complete()
        return people if snapshots is None else take_snapshots(source, snapshots, f"{self.name} (snapshots)", progress)
