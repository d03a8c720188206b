"""The files of recordings in a folder of results: which are wanted, which there are, and which are complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posebus.config.cameras.privacy import HEADS, Privacy
from recordings.results.formats.table import FORMATS, STANDARD

VIDEO = ".annotated.mp4"


class ResultFiles:
    """The files of recordings in one folder, by the name of a recording. `formats` are those that are wanted."""

    def __init__(self, folder: Path, formats: Sequence[str] = STANDARD) -> None:
        self._folder = folder
        self._wanted = [one.ending for one in FORMATS if one.name in formats]

    def complete(self, name: str) -> bool:
        """Return whether all files of the tracks of `name` have their final names."""
        return all(self._path(name, ending).is_file() for ending in self._wanted)

    def any_of(self, name: str) -> bool:
        """Return whether there is a file that `name` would overwrite."""
        return any(self._path(name, ending).is_file() for ending in (*(one.ending for one in FORMATS), VIDEO))

    def drawn(self, name: str) -> bool:
        """Return whether the video of `name` is complete."""
        return self._path(name, VIDEO).is_file()

    def tracks(self, name: str) -> Path:
        """Return the path of the file with every track in every frame."""
        return self._path(name, ".tracks.jsonl")

    def _path(self, name: str, ending: str) -> Path:
        return self._folder / f"{name}{ending}"


@dataclass(frozen=True, slots=True)
class WantedFiles:
    """Which files are written about a recording.

    `formats` are those of the tracks, by the names in `recordings.results.formats.table`. `video`: the annotated one.
    `snapshots`: of each person. `privacy`: whether heads are blurred in both.
    """

    formats: Sequence[str] = STANDARD
    video: bool = True
    snapshots: bool = True
    privacy: Privacy = HEADS

    def options(self) -> dict[str, Any]:
        """Return them as JSON, for the summary."""
        return {
            "formats": list(self.formats),
            "video": self.video,
            "snapshots": self.snapshots,
            "privacy": self.privacy,
        }


ALL_FILES = WantedFiles()
