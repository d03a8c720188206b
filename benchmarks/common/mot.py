"""MOTChallenge text files: rows of boxes with identities, by frame number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebus.arrays import Float64Array

Row = tuple[int, float, float, float, float]
"""An identity, then left, top, width and height of its box in pixels."""
Rows = dict[int, list[Row]]
"""Rows by frame number from 1."""

DISTRACTORS = frozenset({2, 7, 8, 12})
"""Classes of MOT16 and later that are neither right nor wrong when they are found: on a vehicle, static person,
distractor, reflection."""


def read_mot(path: Path, *, truth: bool = False) -> Rows:
    """Rows of a MOTChallenge file by frame number; of ground truth, only those that count (column 7 is not 0).

    Raises SystemExit where a line holds anything but numbers.
    """
    rows: Rows = defaultdict(list)
    for frame, track, left, top, width, height, counts, *_ in _fields(path):
        if not truth or counts != 0:
            rows[int(frame)].append((int(track), left, top, width, height))
    return rows


def read_distractors(path: Path) -> Rows:
    """Rows of the DISTRACTORS in a ground-truth file.

    Files of MOT16 and later have nine columns with a class in the eighth; those of MOT15 have ten and no class.
    """
    rows: Rows = defaultdict(list)
    for fields in _fields(path):
        if len(fields) == 9 and fields[7] in DISTRACTORS:
            frame, track, left, top, width, height = fields[:6]
            rows[int(frame)].append((int(track), left, top, width, height))
    return rows


def boxes_of(rows: list[Row]) -> Float64Array:
    """Boxes (N, 4) of rows: left, top, width, height in pixels."""
    return np.array([row[1:] for row in rows], float).reshape(-1, 4)


def corners_of(boxes_ltwh: Float64Array) -> Float64Array:
    """Corners (N, 4) x1, y1, x2, y2 of boxes (N, 4) given as left, top, width, height."""
    return np.concatenate([boxes_ltwh[:, :2], boxes_ltwh[:, :2] + boxes_ltwh[:, 2:]], axis=1)


def _fields(path: Path) -> Iterator[list[float]]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            fields = [float(field) for field in line.split(",")] if line.strip() else []
        except ValueError as error:
            raise SystemExit(f"{path}, line {number}, is not in MOTChallenge format: {error}") from error
        if len(fields) >= 7:
            yield fields
