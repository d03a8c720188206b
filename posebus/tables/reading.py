"""`posebus.read_tracks`: the tracks of a file or of a folder of results, in any of their formats."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from posebus.errors import MalformedMessage, SourceRejected
from posebus.tables.columns import RECORDING
from posebus.tables.csv_file import read_csv
from posebus.tables.jsonl_file import Truncated, read_jsonl
from posebus.tables.mot_file import read_mot
from posebus.tables.parquet_file import read_parquet
from posebus.tables.rows import Columns, joined
from posebus.tables.track_table import TrackTable

PARTIAL = ".partial"
"""The end of the name of a file that is being written, or whose run was interrupted."""

SUFFIXES: Mapping[str, Callable[[Path, list[Columns]], None]] = MappingProxyType(
    {
        ".tracks.parquet": read_parquet,
        ".tracks.jsonl": read_jsonl,
        ".tracks.csv": read_csv,
        ".mot.txt": read_mot,
    }
)
"""The files of tracks in a folder of results, by the end of the name; of one recording, the first of these is read."""

FIRST_BYTES = 4096


def read_tracks(path: str | os.PathLike[str], *, partial: bool = False) -> TrackTable:
    """Return the tracks in a file, or in all files of a folder, as columns: a dict of numpy arrays.

    path: a file of `posebus run` (NAME.tracks.jsonl, .csv or .parquet, or NAME.mot.txt), a file of JSON lines that a
        subscriber wrote, or a folder of results. The format is recognised by the content. A table from a folder has one
        more column, `recording`.
    partial: whether a file may end in the middle of a line. A file whose name ends in `.partial` always may; its
        complete lines are read, and a warning says so (also in `TrackTable.incomplete`).

    Numbers of people are final. Raises SourceRejected if there is no such file or no tracks in it, MalformedMessage
    with the line where it is damaged, and ImportError for Parquet without pyarrow.
    """
    given = Path(path)
    try:
        if given.is_dir():
            return _folder(given, partial)
        columns, incomplete = _file(given, partial)
    except OSError as error:
        raise SourceRejected(f"{error.filename or given} cannot be read: {error.strerror or error}") from None
    return _table(columns, [incomplete] if incomplete else [])


def _folder(folder: Path, partial: bool) -> TrackTable:
    chosen: dict[str, Path] = {}
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    for end in ("", PARTIAL):
        for suffix in SUFFIXES:
            for name in names:
                if name.endswith(suffix + end):
                    chosen.setdefault(name.removesuffix(suffix + end), folder / name)
    if not chosen:
        raise SourceRejected(
            f"the folder {folder} holds no tracks: no file is called {', '.join(f'NAME{s}' for s in SUFFIXES)}"
        )
    parts, incomplete = [], []
    for name, path in sorted(chosen.items()):
        columns, sentence = _file(path, partial)
        recordings = np.full(len(columns["track_id"]), name) if len(columns["track_id"]) else RECORDING.empty(0)
        parts.append({RECORDING.name: recordings, **columns})
        incomplete += [sentence] if sentence else []
    return _table(joined(parts), incomplete)


def _table(columns: Columns, incomplete: list[str]) -> TrackTable:
    for sentence in incomplete:
        warnings.warn(sentence, stacklevel=4)
    return TrackTable(columns, incomplete)


def _file(path: Path, partial: bool) -> tuple[Columns, str | None]:
    """Return the columns of one file, and a sentence if only a part of it could be read."""
    parts: list[Columns] = []
    unfinished = path.name.endswith(PARTIAL)
    sentence = None
    try:
        _reader(path)(path, parts)
    except Truncated as error:
        if not (partial or unfinished):
            raise MalformedMessage(f"{error}; the lines before it are read with partial=True") from None
        sentence = f"{error}, so that its last line was left out"
    if unfinished:
        sentence = f"{path} is of a run that was interrupted or has not ended: its tracks are not complete"
    columns = joined(parts)
    if not columns["camera"].any():
        # CSV and MOT files do not say it. The file of a run is called like its recording.
        columns["camera"] = np.full(len(columns["track_id"]), _stem(path))
    return columns, sentence


def _stem(path: Path) -> str:
    name = path.name.removesuffix(PARTIAL)
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), path.stem)


def _reader(path: Path) -> Callable[[Path, list[Columns]], None]:
    """Return the function that reads `path`, by its first bytes; an empty file is known by its name."""
    with path.open("rb") as file:
        start = file.read(FIRST_BYTES)
    line = start.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0]
    if start.startswith(b"PAR1"):
        return read_parquet
    if line.strip() == b"{" or any(name in start for name in (b'"images"', b'"annotations"', b'"categories"')):
        return _no_tracks  # a summary, or COCO JSON
    if line.startswith(b"{"):
        return read_jsonl
    if b"track_id" in line:
        return read_csv
    if line[:1].isdigit() and line.count(b",") >= 6:
        return read_mot
    if not line:
        name = path.name.removesuffix(PARTIAL)
        by_name = next((reader for suffix, reader in SUFFIXES.items() if name.endswith(suffix)), read_jsonl)
        return by_name if by_name in (read_jsonl, read_mot) else _no_tracks
    return _no_tracks


def _no_tracks(path: Path, parts: list[Columns]) -> None:
    kinds = "JSON lines, CSV with a column track_id, Parquet or MOT"
    raise SourceRejected(f"{path} holds no tracks as posebus writes them ({kinds})")
