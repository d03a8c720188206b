"""How well the identities of a take were kept: numbers of each person, takeovers, doubles, people counted."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.common.mot import Row, Rows, boxes_of, corners_of
from posebus.boxes import iou_matrix

MATCHED_IOU = 0.3
"""A track covers a person from this intersection over union on. It is lower than usual, because smoothed boxes lag
behind people who fall, and the question is whose number it is, not how exact the box is."""

KEPT = 1.0
"""Added to the overlap of a person and the track that covered it last, so that two who stand close do not exchange
numbers by the scorer's fault, as in CLEAR MOT."""

LASTING_S = 0.1
"""A number counts for a person, and a track as one too many, if that lasts for at least this time."""


PRESENT_S = 0.5
"""Only people who are visible for at least this time in all count: a shorter appearance need not give a track."""

MOSTLY = 0.5
"""A person with a track in a smaller share of the frames has not kept a number."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The identities of one tracker in one take.

    ids: numbers that a person had, mean over people; covered: share of the frames with a visible person in which the
    person had a number. takeovers: how often a number went to a further person. extra: tracks that belonged to no
    person. confirmed, visible: tracks and visible people in a frame, means. most: the largest number of tracks in a
    frame, less that of visible people. perfect: each person had one number for most of the time, no number had two
    people, and there was no extra track; with a focus, only the people in it must have had one number, and no number
    two people.
    """

    ids: float
    covered: float
    takeovers: int
    extra: int
    confirmed: float
    visible: float
    most: int
    perfect: bool


def judged(
    truth: Rows, visible: list[frozenset[int]], result: Rows, fps: float, focus: frozenset[int] | None = None
) -> Judgement:
    """Judge the rows of a tracker by those of the truth, both by number of the frame from 1 to len(visible).

    Of the truth only people count that were visible for PRESENT_S.
    """
    lasting = max(1, round(LASTING_S * fps))
    held = _held(truth, visible, result)
    seen = Counter(person for people in visible for person in people)
    people = {person for person, count in seen.items() if count >= PRESENT_S * fps}
    numbers: dict[int, set[int]] = {person: set() for person in people}
    for (person, number), count in held.by_person.items():
        if person in people and count >= lasting:
            numbers[person].add(number)
    holders = Counter(number for owned in numbers.values() for number in owned)
    takeovers = sum(count - 1 for count in holders.values())
    extra = sum(count >= lasting and number not in holders for number, count in held.by_nobody.items())
    wanted = sorted(people if focus is None else people & focus)
    shares = [held.while_visible[person] / seen[person] for person in wanted]
    counts = [len(result.get(number, ())) for number in range(1, len(visible) + 1)]
    kept = all(len(numbers[person]) == 1 for person in wanted) and min(shares, default=1.0) >= MOSTLY
    return Judgement(
        ids=statistics.fmean(len(numbers[person]) for person in wanted) if wanted else 1.0,
        covered=statistics.fmean(shares) if shares else 1.0,
        takeovers=takeovers,
        extra=extra,
        confirmed=statistics.fmean(counts),
        visible=statistics.fmean(len(now) for now in visible),
        most=max(counts) - max(len(now) for now in visible),
        perfect=kept and takeovers == 0 and (extra == 0 or focus is not None),
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """Counts of frames: for each matched (person, number), for each number without a person, and for each visible
    person with a number."""

    by_person: Counter[tuple[int, int]]
    by_nobody: Counter[int]
    while_visible: Counter[int]


def _held(truth: Rows, visible: list[frozenset[int]], result: Rows) -> _Held:
    held = _Held(Counter(), Counter(), Counter())
    last: dict[int, int] = defaultdict(lambda: -1)
    for number, seen in enumerate(visible, 1):
        tracks = result.get(number, [])
        pairs = _pairs(truth.get(number, []), tracks, last)
        last.update(pairs)
        held.by_person.update(pairs.items())
        held.by_nobody.update({row[0] for row in tracks} - set(pairs.values()))
        held.while_visible.update(seen & set(pairs))
    return held


def _pairs(people: list[Row], tracks: list[Row], last: dict[int, int]) -> dict[int, int]:
    """The number of the track that covers each person, one to one."""
    overlap = iou_matrix(corners_of(boxes_of(people)), corners_of(boxes_of(tracks)))
    kept = np.array([[last[person[0]] == track[0] for track in tracks] for person in people]).reshape(overlap.shape)
    value = np.where(overlap >= MATCHED_IOU, overlap + KEPT * kept, 0.0)
    rows, columns = linear_sum_assignment(value, maximize=True)
    return {
        people[row][0]: tracks[column][0]
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if value[row, column] > 0
    }
