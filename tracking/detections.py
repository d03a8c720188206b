"""The people of one frame as the tracker computes with them: float64, centred boxes, unusable ones left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float64Array
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.messages import PoseFrame
from tracking.compiled import compiled

Singles = npt.NDArray[np.float32]


@dataclass(slots=True)
class Detections:
    """D people. rows: (D,) their places in the PoseFrame; corners, centred: (D, 4) boxes in both forms; scores: (D,);
    joints: (D, K, 3) x, y, confidence in pixels, or None where the model has no keypoints; appearance: (D, 64) as in
    `posebus.contract.appearance`, or None."""

    rows: npt.NDArray[np.intp]
    corners: Float64Array
    centred: Float64Array
    scores: Float64Array
    joints: Float64Array | None
    appearance: Float64Array | None = None

    def __len__(self) -> int:
        return len(self.rows)


def detections_of(frame: PoseFrame, low_score: float) -> Detections:
    """The people of `frame` from `low_score` up whose boxes are finite and not empty.

    A joint that is not finite counts as not seen: one bad number must not spread through a track's memory. Colours in
    a layout of another version, or not finite, count as none.
    """
    rows, corners, centred, scores = usable(_plain(frame.boxes_xyxy_px), _plain(frame.scores), low_score)
    joints = colours = None
    if frame.keypoints_px is not None:
        joints = finite_rows(_plain(frame.keypoints_px), rows)
    if frame.appearance is not None and frame.appearance.shape[1] == APPEARANCE_SIZE:
        colours = finite_rows(_plain(frame.appearance)[:, None], rows)[:, 0]
    return Detections(rows, corners, centred, scores, joints, colours)


def no_detections() -> Detections:
    """Nobody."""
    empty = np.empty((0, 4))
    return Detections(np.zeros(0, np.intp), empty, empty.copy(), np.zeros(0), None)


def _plain(values: npt.NDArray[np.floating[Any]]) -> Singles:
    """A copy that is writable, C-contiguous and float32: for anything else kernels would be compiled once more, for
    seconds, in the middle of a stream. What comes from the wire is read-only."""
    return np.array(values, np.float32, order="C")


@compiled
def usable(
    boxes: Singles, scores: Singles, low_score: float
) -> tuple[npt.NDArray[np.intp], Float64Array, Float64Array, Float64Array]:
    """Which boxes (N, 4) count, and of those corners (D, 4), centre x, y, width, height (D, 4) and scores (D,)."""
    rows = np.empty(len(scores), np.int64)
    count = 0
    for row in range(len(scores)):
        width, height = float(boxes[row, 2]) - float(boxes[row, 0]), float(boxes[row, 3]) - float(boxes[row, 1])
        # Finite area: an infinite or missing corner makes a side infinite or NaN.
        if scores[row] >= low_score and width > 0 and height > 0 and np.isfinite(width * height):
            rows[count] = row
            count += 1
    rows = rows[:count].copy()
    corners, centred, kept = np.empty((count, 4)), np.empty((count, 4)), np.empty(count)
    for place in range(count):
        corners[place] = boxes[rows[place]]
        left, top, right, bottom = corners[place]
        centred[place] = ((left + right) / 2.0, (top + bottom) / 2.0, right - left, bottom - top)
        kept[place] = scores[rows[place]]
    return rows, corners, centred, kept


@compiled
def finite_rows(values: Singles, rows: npt.NDArray[np.intp]) -> Float64Array:
    """Some `rows` (D,) of the values (N, K, C) as float64 (D, K, C), with 0 for every innermost row that is not wholly
    finite."""
    count, inner, columns = len(rows), values.shape[1], values.shape[2]
    finite = np.empty((count, inner, columns))
    for place in range(count):
        for part in range(inner):
            finite[place, part] = values[rows[place], part]
            if not np.isfinite(finite[place, part].sum()):
                finite[place, part] = 0.0
    return finite
