"""Tracks from the CSV files of a run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from posebus.errors import MalformedMessage
from posebus.tables.arrow_columns import csv_by_arrow, from_arrow
from posebus.tables.columns import FILE_COLUMNS, NEEDED, SOURCE_COLUMNS, Array, TrackColumn
from posebus.tables.jsonl_file import Truncated
from posebus.tables.rows import Columns

PART_ROWS = 4096
OF_EVENTS = ("type", "reason", "data")
"""Columns of NAME.events.csv, which has numbers of frames and tracks as well."""

_FLAGS = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}


class _Row(NamedTuple):
    line: int
    fields: list[str]


def read_csv(path: Path, parts: list[Columns]) -> None:
    """Append the tracks in `path` to `parts`; columns that are not those of tracks are left out.

    Raises MalformedMessage, OSError; on Truncated `parts` has the rows before.
    """
    try:
        table = csv_by_arrow(path)
        if table is not None and all(name in table.column_names for name in NEEDED):
            _refuse_events(table.column_names, path)
            parts.append(from_arrow(table))
            return
    except UnicodeError:
        pass  # it is read line by line, which says where
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            _read(csv.reader(file), path, parts)
        except UnicodeError:
            raise MalformedMessage(f"{path}, line {_line_that_is_no_text(path)}, is no text in UTF-8") from None
        except csv.Error as error:
            raise MalformedMessage(f"{path} is no CSV file: {error}") from None


def _line_that_is_no_text(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeError:
                return number
    return 1


def _read(reader: Any, path: Path, parts: list[Columns]) -> None:
    header: list[str] = next(reader, [])
    _refuse_events(header, path)
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise MalformedMessage(f"{path} holds no tracks: its first line names no column {' and no '.join(missing)}")
    numbered = (_Row(reader.line_num, fields) for fields in reader if fields)
    while rows := list(islice(numbered, PART_ROWS)):
        uneven = next((index for index, row in enumerate(rows) if len(row.fields) != len(header)), None)
        parts.append(_columns(header, rows[:uneven], path))
        if uneven is not None:
            row = rows[uneven]
            if len(row.fields) < len(header) and uneven == len(rows) - 1 and next(numbered, None) is None:
                raise Truncated(f"{path} ends in the middle of line {row.line}")
            raise MalformedMessage(f"{path}, line {row.line}, has {len(row.fields)} fields instead of {len(header)}")


def _refuse_events(header: Sequence[str], path: Path) -> None:
    if all(name in header for name in OF_EVENTS):
        raise MalformedMessage(f"{path} holds events, not tracks: those are in NAME.tracks.csv, with --format csv")


def _columns(header: Sequence[str], rows: Sequence[_Row], path: Path) -> Columns:
    texts = dict(zip(header, zip(*(row.fields for row in rows), strict=True), strict=True)) if rows else {}
    found: Columns = {column.name: column.empty(len(rows)) for column in SOURCE_COLUMNS}
    for column in FILE_COLUMNS:
        fields = texts.get(column.name)
        try:
            found[column.name] = column.empty(len(rows)) if fields is None else _parsed(column, fields)
        except (ValueError, KeyError, OverflowError):
            raise _wrong_field(column, fields or (), path, rows) from None
    return found


def _parsed(column: TrackColumn, fields: Sequence[str]) -> Array:
    if column.kind == "text":
        return np.array(fields, "U")
    if column.kind == "bool":
        return np.array([_FLAGS[field] for field in fields], np.bool_)
    if column.kind.startswith("float"):
        return np.array([float(field) if field else column.missing for field in fields], column.dtype)
    return np.array([int(field) if field else column.missing for field in fields], column.dtype)


def _wrong_field(column: TrackColumn, fields: Sequence[str], path: Path, rows: Sequence[_Row]) -> MalformedMessage:
    for row, field in zip(rows, fields, strict=True):
        try:
            _parsed(column, [field])
        except (ValueError, KeyError, OverflowError):
            return MalformedMessage(
                f"{path}, line {row.line}: {field!r:.40} is no value of {column.name} ({column.kind})"
            )
    return MalformedMessage(f"{path}, line {rows[0].line}: wrong values of {column.name}")
