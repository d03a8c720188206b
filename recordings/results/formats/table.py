"""The formats that `--format` names, one row for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from posebus.errors import ConfigError
from recordings.results.events import EventsFile
from recordings.results.formats.coco import CocoAnnotations, CocoDetections
from recordings.results.formats.lines import csv, jsonl, mot
from recordings.results.formats.parquet import ParquetTracks, check_parquet
from recordings.results.formats.writer import FormatWriter, Target
from recordings.results.people.table import PeopleTable


class Format(NamedTuple):
    """A format: its name, how the names of its files end, the function that opens a writer of it, and a check that
    raises ConfigError if it cannot be written here."""

    name: str
    ending: str
    open: Callable[[Target], FormatWriter]
    check: Callable[[], None] | None = None


FORMATS = (
    Format("jsonl", ".tracks.jsonl", jsonl),
    Format("mot", ".mot.txt", mot),
    Format("csv", ".tracks.csv", csv),
    Format("parquet", ".tracks.parquet", ParquetTracks, check_parquet),
    Format("coco", ".coco.json", CocoAnnotations),
    Format("coco-results", ".coco-results.json", CocoDetections),
    Format("people", ".people.csv", PeopleTable),
    Format("events", ".events.jsonl", EventsFile),
)
"""All formats, in the order in which they are written."""

DEFAULT = ("jsonl", "mot")
"""The formats of the tracks if none is named."""

ALWAYS = ("jsonl", "people", "events")
"""What is always written for a recording: videos are drawn, and interrupted runs continued, from the first."""

STANDARD = (*DEFAULT, "people", "events")
"""What is written for a recording if no format is named."""


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the formats in `names`, each of which may be several, with commas, and those of `ALWAYS`.

    Without any name, those of `DEFAULT` and `ALWAYS`. Raises ConfigError for a name that is none.
    """
    wanted = {name.strip().lower() for text in names for name in text.split(",")}
    known = [one.name for one in FORMATS]
    unknown = sorted(wanted - set(known))
    if unknown:
        of_tracks = (name for name in known if name not in ALWAYS[1:])
        raise ConfigError(f"--format {unknown[0]!r} is none of {', '.join(of_tracks)}")
    return tuple(name for name in known if name in (wanted or DEFAULT) or name in ALWAYS)


def check_writable(names: Iterable[str]) -> None:
    """Raise ConfigError for a format that cannot be written here, because a package is missing."""
    for one in FORMATS:
        if one.name in names and one.check is not None:
            one.check()


def open_writer(name: str, target: Target) -> FormatWriter:
    """Return a writer of the format `name`. Raises OutputError."""
    return next(one for one in FORMATS if one.name == name).open(target)
