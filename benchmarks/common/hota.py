"""HOTA, CLEAR and identity metrics of a MOTChallenge file against ground truth, by TrackEval's metric classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from benchmarks.common.mot import Row, Rows, boxes_of, corners_of, read_distractors, read_mot
from posebus.boxes import iou_matrix

MATCHED_IOU = 0.5
"""A box matches a person from this intersection over union on."""

METRICS = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW", "Frag")
COUNTS = ("IDSW", "Frag")
"""Metrics that count events; the others are in 0..1."""


def score_mot(truth_path: Path, result_path: Path) -> dict[str, float]:
    """The METRICS of a result file over the frames of the ground truth."""
    truth, distractors = read_mot(truth_path, truth=True), read_distractors(truth_path)
    return score(truth, without_distractors(truth, distractors, read_mot(result_path)))


def score(truth: Rows, result: Rows) -> dict[str, float]:
    """The METRICS of rows in memory, over the frames from 1 to the last frame number in `truth`."""
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


def without_distractors(truth: Rows, distractors: Rows, result: Rows) -> Rows:
    """`result` without the rows that match a distractor better than any person in `truth`, as TrackEval prepares
    MOT."""
    kept = {}
    for frame, found in result.items():
        known, ignored = truth.get(frame, []), distractors.get(frame, [])
        pairs = matched([*known, *ignored], boxes_of(found)) if ignored else []
        gone = {row for person, row in pairs if person >= len(known)}
        kept[frame] = [row for place, row in enumerate(found) if place not in gone]
    return kept


def matched(truth: list[Row], found: npt.NDArray[np.floating[Any]]) -> list[tuple[int, int]]:
    """Index pairs (in `truth`, in `found`), one to one, with IoU from MATCHED_IOU on and the largest sum of IoU.

    found: boxes (N, 4) as left, top, width, height in pixels.
    """
    overlap = iou_matrix(corners_of(boxes_of(truth)), corners_of(np.asarray(found, float)))
    overlap[overlap < MATCHED_IOU] = 0
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    return [(int(one), int(other)) for one, other in pairs if overlap[one, other] > 0]


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
        data["similarity_scores"].append(iou_matrix(corners_of(boxes_of(expected)), corners_of(boxes_of(found))))
    return {
        **data,
        "num_timesteps": len(frames),
        "num_gt_ids": len(truth_ids),
        "num_tracker_ids": len(result_ids),
        "num_gt_dets": sum(map(len, data["gt_ids"])),
        "num_tracker_dets": sum(map(len, data["tracker_ids"])),
    }
