"""Compiles every kernel of the tracker, so that no camera waits for it later."""

from __future__ import annotations

import numpy as np

from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.messages import CameraMotion, PoseFrame
from tracking.tracker import PoseTracker


def warm_up() -> None:
    """Track two synthetic people who overlap, hide, run and leave, before a camera that moves; one is detected twice.

    It takes half a minute the first time on a machine, then moments.
    """
    tracker = PoseTracker()
    left, right = [100.0, 100.0, 140.0, 200.0], [108.0, 100.0, 148.0, 200.0]
    boxes = np.array([left, right, left], np.float32)
    scores, keypoints = np.ones(3, np.float32), np.full((3, 17, 3), 120.0, np.float32)
    keypoints[1, :, 1] = 180.0
    appearance = np.ones((3, APPEARANCE_SIZE), np.float32)
    for seq, people in enumerate((3, 3, 0, 0, 3, 3, 1)):
        if seq >= 5:
            boxes += 100.0
        frame = PoseFrame(
            camera="",
            epoch=1,
            seq=seq,
            captured_at_ns=seq * 300_000_000,
            size_px=(640, 480),
            boxes_xyxy_px=boxes[:people].copy(),
            scores=scores[:people],
            keypoints_px=keypoints[:people],
            appearance=appearance[:people],
            camera_motion=CameraMotion(0, (1.0, 0.0, float(seq == 4), 0.0, 1.0, 0.0), 0.0),
        )
        tracker.update(frame)
