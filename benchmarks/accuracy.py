"""HOTA, CLEAR and identity metrics of a MOTChallenge file against ground truth, by TrackEval's own metric classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Row = tuple[int, float, float, float, float]
Rows = dict[int, list[Row]]
"""Rows of (id, left, top, width, height) in pixels by frame number from 1."""

MATCHED_IOU = 0.5
"""From which overlap on a box is of that person."""

DISTRACTORS = frozenset({2, 7, 8, 12})
"""Classes of MOT16 and later whose finding is neither right nor wrong: on a vehicle, static, distractor, reflection."""

METRICS = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW", "Frag")
COUNTS = ("IDSW", "Frag")
"""Metrics that count events; the others are parts of 1."""


def score_mot(truth_path: Path, result_path: Path) -> dict[str, float]:
    """The METRICS; frames are those of the ground truth."""
    truth, distractors = read_mot(truth_path, truth=True), read_distractors(truth_path)
    return score(truth, without_distractors(truth, distractors, read_mot(result_path)))


def score(truth: Rows, result: Rows) -> dict[str, float]:
    """As `score_mot`, for rows in memory. The clip ends with the last frame number in `truth`."""
    from trackeval.metrics import CLEAR, HOTA, Identity

    data = _trackeval_data(truth, result)
    hota = HOTA().eval_sequence(data)
    clear = CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
    identity = Identity({"PRINT_CONFIG": False}).eval_sequence(data)
    return {
        "HOTA": float(hota["HOTA"].mean()),
        "DetA": float(hota["DetA"].mean()),
        "AssA": float(hota["AssA"].mean()),
        "IDF1": float(identity["IDF1"]),
        "MOTA": float(clear["MOTA"]),
        "IDSW": float(clear["IDSW"]),
        "Frag": float(clear["Frag"]),
    }


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


def without_distractors(truth: Rows, distractors: Rows, result: Rows) -> Rows:
    """`result` without the rows that match a distractor better than somebody in `truth`, as TrackEval prepares MOT."""
    kept = {}
    for frame, found in result.items():
        known, ignored = truth.get(frame, []), distractors.get(frame, [])
        pairs = matched([*known, *ignored], _boxes(found)) if ignored else []
        gone = {row for person, row in pairs if person >= len(known)}
        kept[frame] = [row for place, row in enumerate(found) if place not in gone]
    return kept


def matched(truth: list[Row], found: npt.NDArray[np.floating[Any]]) -> list[tuple[int, int]]:
    """Pairs of (index in `truth`, index in `found`), one to one, IoU from MATCHED_IOU on, of the largest sum of IoU.

    found: (N, 4) left, top, width, height.
    """
    overlap = iou(np.array([row[1:] for row in truth], float).reshape(-1, 4), found)
    overlap[overlap < MATCHED_IOU] = 0
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    return [(int(one), int(other)) for one, other in pairs if overlap[one, other] > 0]


def iou(one: npt.NDArray[np.floating[Any]], other: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Intersection over union of boxes (N, 4) and (M, 4) of left, top, width, height: (N, M)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, :2] + one[:, None, 2:], other[None, :, :2] + other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    union = one[:, 2:].prod(axis=1)[:, None] + other[:, 2:].prod(axis=1)[None] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared, float), where=union > 0), float)


def _fields(path: Path) -> Iterator[list[float]]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            fields = [float(field) for field in line.split(",")] if line.strip() else []
        except ValueError as error:
            raise SystemExit(f"{path}, line {number}, is not MOTChallenge text: {error}") from error
        if len(fields) >= 7:
            yield fields


def _trackeval_data(truth: Rows, result: Rows) -> dict[str, Any]:
    frames = range(1, max(truth) + 1)
    truth_ids = {
        track: index for index, track in enumerate(sorted({row[0] for f in frames for row in truth.get(f, ())}))
    }
    result_ids = {
        track: index for index, track in enumerate(sorted({row[0] for f in frames for row in result.get(f, ())}))
    }
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": [], "seq": "sequence"}
    for frame in frames:
        expected, found = truth.get(frame, []), result.get(frame, [])
        data["gt_ids"].append(np.array([truth_ids[row[0]] for row in expected], int))
        data["tracker_ids"].append(np.array([result_ids[row[0]] for row in found], int))
        data["similarity_scores"].append(iou(_boxes(expected), _boxes(found)))
    return {
        **data,
        "num_timesteps": len(frames),
        "num_gt_ids": len(truth_ids),
        "num_tracker_ids": len(result_ids),
        "num_gt_dets": sum(map(len, data["gt_ids"])),
        "num_tracker_dets": sum(map(len, data["tracker_ids"])),
    }


def _boxes(rows: list[Row]) -> npt.NDArray[np.float64]:
    return np.array([row[1:] for row in rows], float).reshape(-1, 4)
