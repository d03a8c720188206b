"""The options of which files are written about a recording, shared by the commands that analyse recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from posebus.config.cameras.privacy import HEADS, Privacy
from posebus_cli.options.groups import PrivacyOption


@dataclass(frozen=True, slots=True)
class ResultOptions:
    """Which files are written: formats of the tracks, annotated videos, pictures of people."""

    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME,…",
            help="Formats of the tracks, several with commas: jsonl (always written), mot, csv, parquet, coco, "
            "coco-results. (default: jsonl,mot)",
        ),
    ] = None
    no_video: Annotated[
        bool, typer.Option("--no-video", help="Write no annotated videos, which take some time to draw.")
    ] = False
    snapshots: Annotated[
        bool | None,
        typer.Option(
            "--snapshots/--no-snapshots",
            help="Write the best picture of each person, NAME.people/ID.jpg. (default: with the annotated video)",
        ),
    ] = None
    privacy: PrivacyOption = None
    repeat: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="SUMMARY",
            help="Repeat the run that wrote this summary.json: its recordings, settings and files, unless given.",
        ),
    ] = None

    @property
    def wanted_formats(self) -> tuple[str, ...]:
        """The names of the formats. Raises ConfigError for a name that is none."""
        from recordings.results.formats.table import chosen

        return chosen(self.formats or ())

    @property
    def video(self) -> bool:
        """Whether annotated videos are written."""
        return not self.no_video

    @property
    def wanted_privacy(self) -> Privacy:
        """What pictures hide: heads, unless the option says otherwise."""
        return self.privacy or HEADS

    @property
    def wants_snapshots(self) -> bool:
        """Whether pictures of people are written."""
        return self.video if self.snapshots is None else self.snapshots
