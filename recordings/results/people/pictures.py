"""The pictures of a recording that was analysed: its annotated video, and a snapshot of each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from posebus.config.cameras.privacy import HEADS
from posebus.config.settings import CameraSettings
from recordings.privacy.timeline import HeadTimeline
from recordings.progress import Progress
from recordings.results.people.person import Person
from recordings.results.people.snapshots import Snapshots, take_snapshots
from recordings.results.video import PLAIN, Style, annotate, read_tracks


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
        if snapshots is None:
            return people
        heads = HeadTimeline(read_tracks(self.jsonl)) if self.style.privacy == HEADS else None
        return take_snapshots(source, snapshots, heads, f"{self.name} (snapshots)", progress)
