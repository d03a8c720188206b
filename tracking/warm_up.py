"""Compiles every kernel of the tracker, so that no camera waits for it later."""

from __future__ import annotations

import numpy as np

from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.messages import PoseFrame
from tracking.tracker import PoseTracker


def warm_up() -> None:
    """Track two made-up people who stand in each other's way, hide and leave; ten seconds the first time on a machine,
    then moments."""
    tracker = PoseTracker()
    boxes = np.array([[100.0, 100.0, 140.0, 200.0], [108.0, 100.0, 148.0, 200.0]], np.float32)
    people = (boxes, np.ones(2, np.float32), np.ones((2, 17, 3), np.float32), np.ones((2, APPEARANCE_SIZE), np.float32))
    for seq, seen in enumerate((2, 2, 0, 0, 2)):
        boxes, scores, keypoints, appearance = (column[:seen] for column in people)
        tracker.update(PoseFrame("", 1, seq, seq * 300_000_000, (640, 480), boxes, scores, keypoints, appearance))
