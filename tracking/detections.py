"""The usable detections of one frame as the tracker computes with them: float64, with centred boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from posebus.arrays import Float32Array, Float64Array, FloatingArray, IndexArray
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.messages import PoseFrame
from tracking.compiled import compiled


class DetectionColumns(NamedTuple):
    """The columns of `UsableDetections` as kernels take them: centred (D, 4), joints (D, K, 3), scores (D,)."""

    centred: Float64Array
    joints: Float64Array
    scores: Float64Array


@dataclass(slots=True)
class UsableDetections:
    """D detections with finite, non-empty boxes.

    rows: (D,) their rows in the PoseFrame.
    corners, centred: (D, 4) boxes as x1, y1, x2, y2 and as centre x, y, width, height, in pixels.
    scores: (D,).
    joints: (D, K, 3) x, y, confidence in pixels, or None where the model has no keypoints.
    appearance: (D, 64) as in `posebus.contract.appearance`, or None.
    """

    rows: IndexArray
    corners: Float64Array
    centred: Float64Array
    scores: Float64Array
    joints: Float64Array | None
    appearance: Float64Array | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self) -> DetectionColumns:
        """The columns as kernels take them, with K = 0 where there are no keypoints."""
        joints = np.zeros((len(self), 0, 3)) if self.joints is None else self.joints
        return DetectionColumns(self.centred, joints, self.scores)


def detections_of(frame: PoseFrame, low_score: float) -> UsableDetections:
    """The detections of `frame` with a score of at least `low_score` whose boxes are finite and not empty.

    A joint that is not finite counts as undetected: one bad number must not spread through a track's memory. Colours
    in a layout of another version, or not finite, count as missing.
    """
    rows, corners, centred, scores = usable(_plain(frame.boxes_xyxy_px), _plain(frame.scores), low_score)
    joints = colours = None
    if frame.keypoints_px is not None:
        joints = finite_rows(_plain(frame.keypoints_px), rows)
    if frame.appearance is not None and frame.appearance.shape[1] == APPEARANCE_SIZE:
        colours = finite_rows(_plain(frame.appearance)[:, None], rows)[:, 0]
    return UsableDetections(rows, corners, centred, scores, joints, colours)


def no_detections() -> UsableDetections:
    """No detections."""
    empty = np.empty((0, 4))
    return UsableDetections(np.zeros(0, np.intp), empty, empty.copy(), np.zeros(0), None)


def _plain(values: FloatingArray) -> Float32Array:
    """Copy to a writable, C-contiguous float32 array.

    Kernels would be compiled once more for any other kind, which takes seconds in the middle of a stream; arrays from
    the wire are read-only.
    """
    if type(values) is np.ndarray and values.dtype == np.float32:
        return values.copy()
    # What is too large for float32 becomes infinite, and so counts as undetected.
    with np.errstate(over="ignore"):
        return np.array(values, np.float32, order="C")


@compiled
def usable(
    boxes: Float32Array, scores: Float32Array, low_score: float
) -> tuple[IndexArray, Float64Array, Float64Array, Float64Array]:
    """Rows (D,) of the usable boxes (N, 4), their corners (D, 4), their centres and sizes (D, 4), and scores (D,)."""
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
def finite_rows(values: Float32Array, rows: IndexArray) -> Float64Array:
    """Some `rows` (D,) of the values (N, K, C) as float64 (D, K, C); innermost rows that are not finite become 0."""
    count, inner, columns = len(rows), values.shape[1], values.shape[2]
    finite = np.empty((count, inner, columns))
    for place in range(count):
        for part in range(inner):
            # Number by number: slices of three take several times as long.
            total = 0.0
            for column in range(columns):
                finite[place, part, column] = values[rows[place], part, column]
                total += finite[place, part, column]
            if not np.isfinite(total):
                finite[place, part] = 0.0
    return finite
