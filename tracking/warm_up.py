"""Compiles every kernel of the tracker, so that no camera waits for it later."""

from __future__ import annotations

import numpy as np

from posebus.appearance import SIZE as APPEARANCE_SIZE
from posebus.messages import PoseFrame
from tracking.tracker import PoseTracker


def warm_up() -> None:
    """Track a made-up person who stands, hides and leaves; ten seconds the first time on a machine, then moments."""
    tracker = PoseTracker()
    box = np.array([[100.0, 100.0, 140.0, 200.0]], np.float32)
    person = (box, np.ones(1, np.float32), np.ones((1, 17, 3), np.float32), np.ones((1, APPEARANCE_SIZE), np.float32))
    for seq, seen in enumerate((1, 1, 0, 0, 1)):
        boxes, scores, keypoints, appearance = (column[:seen] for column in person)
        tracker.update(PoseFrame("", 1, seq, seq * 300_000_000, (640, 480), boxes, scores, keypoints, appearance))
