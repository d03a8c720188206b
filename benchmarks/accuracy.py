"""HOTA, CLEAR and identity metrics of a MOTChallenge file against ground truth, by TrackEval's own metric classes."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

Rows = dict[int, list[tuple[int, float, float, float, float]]]


def score_mot(truth_path: Path, result_path: Path) -> dict[str, float]:
    """HOTA, DetA, AssA, IDF1, MOTA, IDSW and Frag; frames are those of the ground truth."""
    return score(read_mot(truth_path, truth=True), read_mot(result_path))


def score(truth: Rows, result: Rows) -> dict[str, float]:
    """As `score_mot`, for rows of (id, left, top, width, height) by frame number."""
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
    """Rows of a MOTChallenge file by frame number; of ground truth, those that count (column 7 is not 0)."""
    rows: Rows = defaultdict(list)
    for line in path.read_text().splitlines():
        fields = line.split(",")
        if len(fields) < 7 or (truth and float(fields[6]) == 0):
            continue
        left, top, width, height = (float(field) for field in fields[2:6])
        rows[int(float(fields[0]))].append((int(float(fields[1])), left, top, width, height))
    return rows


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
        data["similarity_scores"].append(_iou(expected, found))
    return {
        **data,
        "num_timesteps": len(frames),
        "num_gt_ids": len(truth_ids),
        "num_tracker_ids": len(result_ids),
        "num_gt_dets": sum(map(len, data["gt_ids"])),
        "num_tracker_dets": sum(map(len, data["tracker_ids"])),
    }


def _iou(expected: list[Any], found: list[Any]) -> np.ndarray:
    if not expected or not found:
        return np.zeros((len(expected), len(found)))
    one, other = (np.asarray(rows, float)[:, 1:] for rows in (expected, found))
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, :2] + one[:, None, 2:], other[None, :, :2] + other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    return shared / (one[:, 2:].prod(axis=1)[:, None] + other[:, 2:].prod(axis=1)[None] - shared)
