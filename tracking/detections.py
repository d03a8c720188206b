"""The people of one frame as the tracker computes with them: float64, centred boxes, unusable ones left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posebus.appearance import SIZE as APPEARANCE_SIZE
from posebus.messages import PoseFrame
from tracking.compiled import compiled

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Detections:
    """D people. rows: (D,) their places in the PoseFrame; corners, centred: (D, 4) boxes in both forms; scores: (D,);
    joints: (D, K, 3) x, y, confidence in pixels, or None where the model has no keypoints; appearance: (D, 64) as in
    `posebus.appearance`, or None."""

    rows: npt.NDArray[np.intp]
    corners: Floats
    centred: Floats
    scores: Floats
    joints: Floats | None
    appearance: Floats | None = None

    def __len__(self) -> int:
        return len(self.rows)


def detections_of(frame: PoseFrame, low_score: float) -> Detections:
    """The people of `frame` from `low_score` up whose boxes are finite and not empty.

    A joint that is not finite counts as not seen: one bad number must not spread through a track's memory. Colours in
    a layout of another version, or not finite, count as none.
    """
    rows, corners, centred, scores = usable(
        frame.boxes_xyxy_px.astype(np.float64), frame.scores.astype(np.float64), low_score
    )
    joints = colours = None
    if frame.keypoints_px is not None:
        joints = frame.keypoints_px.astype(np.float64)
        joints = finite_rows(joints.reshape(-1, 3)).reshape(joints.shape)
        if len(rows) < len(joints):
            joints = joints[rows]
    if frame.appearance is not None and frame.appearance.shape[1] == APPEARANCE_SIZE:
        colours = finite_rows(frame.appearance[rows].astype(np.float64))
    return Detections(rows, corners, centred, scores, joints, colours)


@compiled
def usable(corners: Floats, scores: Floats, low_score: float) -> tuple[npt.NDArray[np.intp], Floats, Floats, Floats]:
    """Which boxes (N, 4) count, and of those corners (D, 4), centre x, y, width, height (D, 4) and scores (D,)."""
    rows = np.empty(len(scores), np.int64)
    centred = np.empty((len(scores), 4))
    count = 0
    for row in range(len(scores)):
        left, top, right, bottom = corners[row]
        width, height = right - left, bottom - top
        # Finite area: an infinite or missing corner makes a side infinite or NaN.
        if scores[row] >= low_score and width > 0 and height > 0 and np.isfinite(width * height):
            rows[count] = row
            centred[count] = (left + width / 2.0, top + height / 2.0, width, height)
            count += 1
    rows = rows[:count].copy()
    return rows, corners[rows], centred[:count].copy(), scores[rows]


@compiled
def finite_rows(values: Floats) -> Floats:
    """The (N, C) values with every row that is not wholly finite set to 0, in place."""
    for row in range(len(values)):
        if not np.isfinite(values[row].sum()):
            values[row] = 0.0
    return values
