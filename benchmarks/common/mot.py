"""MOTChallenge text files: rows of people by frame number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebus.arrays import Float64Array

Row = tuple[int, float, float, float, float]
Rows = dict[int, list[Row]]
"""Rows of (id, left, top, width, height) in pixels by frame number from 1."""

DISTRACTORS = frozenset({2, 7, 8, 12})
"""Classes of MOT16 and later whose finding is neither right nor wrong: on a vehicle, static, distractor, reflection."""


def read_mot(path: Path, *, truth: bool = False) -> Rows:
    """Rows of a MOTChallenge file by frame number; of ground truth, those that count (column 7 is not 0).

    SystemExit: a line holds something else than numbers.
    """
    rows: Rows = defaultdict(list)
    for frame, track, left, top, width, height, counts, *_ in _fields(path):
        if not truth or counts != 0:
            rows[int(frame)].append((int(track), left, top, width, height))
    return rows


def read_distractors(path: Path) -> Rows:
    """Rows of DISTRACTORS in a ground truth of MOT16 or later, known by its nine columns; MOT15's ten have no class."""
    rows: Rows = defaultdict(list)
    for fields in _fields(path):
        if len(fields) == 9 and fields[7] in DISTRACTORS:
            frame, track, left, top, width, height = fields[:6]
            rows[int(frame)].append((int(track), left, top, width, height))
    return rows


def boxes_of(rows: list[Row]) -> Float64Array:
    """Boxes (N, 4) of rows: left, top, width, height."""
    return np.array([row[1:] for row in rows], float).reshape(-1, 4)


def corners_of(boxes_ltwh: Float64Array) -> Float64Array:
    """Corners (N, 4) x1, y1, x2, y2 of boxes (N, 4) given by left, top, width, height."""
    return np.concatenate([boxes_ltwh[:, :2], boxes_ltwh[:, :2] + boxes_ltwh[:, 2:]], axis=1)


def _fields(path: Path) -> Iterator[list[float]]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            fields = [float(field) for field in line.split(",")] if line.strip() else []
        except ValueError as error:
            raise SystemExit(f"{path}, line {number}, is not MOTChallenge text: {error}") from error
        if len(fields) >= 7:
            yield fields
