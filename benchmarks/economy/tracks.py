"""Tracks compared with those of a reference: kept, lost, shortened. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.common.hota import matched
from benchmarks.common.mot import Row, Rows, boxes_of

SHORTENED_S = 0.3
"""A track that begins this much later than the reference's, or ends this much sooner, is shortened."""


class KeptTracks(NamedTuple):
    """Of `tracks` in the reference: `lost` have no counterpart, `shortened` one that begins late or ends early."""

    tracks: int
    lost: int
    shortened: int


def kept(reference: Rows, found: Rows, fps: float) -> KeptTracks:
    """Match tracks one to one so that they share the most frames in which their boxes overlap (IoU from 0.5 on).

    Tracks of the reference that last no longer than SHORTENED_S are left out, because all of them could be shortened.
    """
    slack = SHORTENED_S * fps + 1e-6
    expected = {track: span for track, span in _spans(reference).items() if span[1] - span[0] + 1 > slack}
    spans = _spans(found)
    together: Counter[tuple[int, int]] = Counter()
    for frame, rows in reference.items():
        others = found.get(frame, [])
        for one, other in matched(rows, boxes_of(others)):
            if rows[one][0] in expected:
                together[rows[one][0], others[other][0]] += 1
    names, numbers = sorted(expected), sorted(spans)
    frames = np.array([[together[name, number] for number in numbers] for name in names]).reshape(
        len(names), len(numbers)
    )
    pairs = {
        names[row]: numbers[column]
        for row, column in zip(*linear_sum_assignment(frames, maximize=True), strict=True)
        if frames[row, column]
    }
    shortened = sum(
        spans[number][0] - expected[name][0] > slack or expected[name][1] - spans[number][1] > slack
        for name, number in pairs.items()
    )
    return KeptTracks(len(names), len(names) - len(pairs), shortened)


def recall(truth: Rows, found: Rows) -> float:
    """The part of the boxes in `truth` that overlap one of `found` in the same frame, IoU from 0.5 on."""
    expected = sum(map(len, truth.values()))
    hits = sum(len(matched(rows, boxes_of(found.get(frame, [])))) for frame, rows in truth.items() if rows)
    return hits / expected if expected else 1.0


def _spans(rows: Rows) -> dict[int, tuple[int, int]]:
    """First and last frame of each track."""
    frames: defaultdict[int, list[int]] = defaultdict(list)
    for frame, found in rows.items():
        row: Row
        for row in found:
            frames[row[0]].append(frame)
    return {track: (min(numbers), max(numbers)) for track, numbers in frames.items()}
