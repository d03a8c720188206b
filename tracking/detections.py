"""The people of one frame as the tracker computes with them: float64, centred boxes, unusable ones left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posebus.messages import PoseFrame
from tracking.boxes import area, to_centre

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detections:
    """D people. rows: (D,) their places in the PoseFrame; corners, centred: (D, 4) boxes in both forms; scores: (D,);
    joints: (D, K, 3) x, y, confidence in pixels, or None where the model has no keypoints."""

    rows: npt.NDArray[np.intp]
    corners: Floats
    centred: Floats
    scores: Floats
    joints: Floats | None

    def select(self, places: npt.NDArray[np.intp]) -> Detections:
        """Those at the given places (indices into D, repeated as often as they are named)."""
        joints = None if self.joints is None else self.joints[places]
        return Detections(self.rows[places], self.corners[places], self.centred[places], self.scores[places], joints)

    def __len__(self) -> int:
        return len(self.rows)


def detections_of(frame: PoseFrame, low_score: float) -> Detections:
    """The people of `frame` from `low_score` up whose boxes are finite and not empty.

    A joint that is not finite counts as not seen: one bad number must not spread through a track's memory.
    """
    corners = frame.boxes_xyxy_px.astype(np.float64)
    scores = frame.scores.astype(np.float64)
    usable = (scores >= low_score) & np.isfinite(corners).all(axis=1)
    with np.errstate(invalid="ignore"):
        usable &= (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1]) & np.isfinite(area(corners))
    rows = np.flatnonzero(usable)
    joints = None
    if frame.keypoints_px is not None:
        joints = frame.keypoints_px[rows].astype(np.float64)
        joints[~np.isfinite(joints).all(axis=2)] = 0.0
    corners = corners[rows]
    return Detections(rows, corners, to_centre(corners), scores[rows], joints)
