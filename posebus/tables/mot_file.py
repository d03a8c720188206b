"""Tracks from files of the MOTChallenge format, which hold boxes alone: results and ground truth."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np

from posebus.errors import MalformedMessage
from posebus.tables.columns import BOX_COLUMNS, COLUMNS
from posebus.tables.jsonl_file import Truncated
from posebus.tables.rows import Columns

LARGEST = 2.0**53
PART_ROWS = 65536
FIELDS = 7
"""frame from 1, id, left, top, width, height, score; further fields are left out."""
MOST_FIELDS = 10
"""With the three coordinates in the world, or class and visibility."""


def read_mot(path: Path, parts: list[Columns]) -> None:
    """Append the boxes in `path` to `parts`. Frames count from 0 in the table, and all tracks are confirmed.

    Raises MalformedMessage, OSError; on Truncated `parts` has the rows before.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        numbered = ((number, line) for number, line in enumerate(file, 1) if line.strip())
        while lines := list(islice(numbered, PART_ROWS)):
            rows = []
            for number, line in lines:
                try:
                    rows.append(_row(line))
                except ValueError as error:
                    parts.append(_columns(rows))
                    if not line.endswith("\n"):
                        raise Truncated(f"{path} ends in the middle of line {number}") from None
                    raise MalformedMessage(f"{path}, line {number}, is no row of a MOT file: {error}") from None
            parts.append(_columns(rows))


def _row(line: str) -> list[float]:
    fields = line.split(",")
    if not FIELDS <= len(fields) <= MOST_FIELDS:
        raise ValueError(f"it has {len(fields)} fields instead of {FIELDS} to {MOST_FIELDS}")
    numbers = [float(field) for field in fields[:FIELDS]]
    if not all(abs(number) < LARGEST for number in numbers):
        raise ValueError("a number is infinite, or none")
    return numbers


def _columns(rows: list[list[float]]) -> Columns:
    values = np.array(rows, np.float64).reshape(-1, FIELDS)
    left, top, width, height = values[:, 2:6].T
    known = {
        "frame": values[:, 0].astype(np.int64) - 1,
        "track_id": values[:, 1].astype(np.int64),
        "score": values[:, 6].astype(np.float32),
        **dict(
            zip(BOX_COLUMNS, (side.astype(np.float32) for side in (left, top, left + width, top + height)), strict=True)
        ),
    }
    return {column.name: known.get(column.name, column.empty(len(values))) for column in COLUMNS}
