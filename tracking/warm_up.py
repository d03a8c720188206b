"""Compiles every kernel of the tracker, so that no camera waits for it later."""

from __future__ import annotations

import numpy as np

from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.messages import CameraMotion, PoseFrame
from tracking.actions.features import features_of
from tracking.actions.people import People, windows_of
from tracking.feet import body_heights_px, foot_points_px
from tracking.geometry import outside_by
from tracking.rules import Rules
from tracking.tracker import PoseTracker

RULES = {
    "zone": {"kind": "zone", "points": [[0, 0], [1, 0], [1, 1]]},
    "line": {"kind": "line", "points": [[0, 0], [1, 1]]},
    "proximity": {"kind": "proximity"},
    "fall": {"kind": "fall"},
    "running": {"kind": "running"},
}
"""Rules that use each kernel."""


def warm_up() -> None:
    """Track two synthetic people who overlap, hide, run and leave, before a camera that moves; one is detected twice.

    It takes half a minute the first time on a machine, then moments.
    """
    tracker, rules = PoseTracker(), Rules(RULES, "", (640, 480))
    outside_by(np.zeros((1, 2)), [np.zeros((3, 2))])
    left, right = [100.0, 100.0, 140.0, 200.0], [108.0, 100.0, 148.0, 200.0]
    boxes = np.array([left, right, left], np.float32)
    scores, keypoints = np.ones(3, np.float32), np.full((3, 17, 3), 120.0, np.float32)
    keypoints[1, :, 1] = 180.0
    appearance = np.ones((3, APPEARANCE_SIZE), np.float32)
    # At the end a person is missed for a moment, while another one appears far away.
    times_ms = (0, 300, 600, 900, 1200, 1500, 1800, 1840)
    for seq, (people, time_ms) in enumerate(zip((3, 3, 0, 0, 3, 3, 1, 1), times_ms, strict=True)):
        if seq in (5, 6):
            boxes += 100.0
        elif seq == 7:
            boxes[:, [0, 2]] -= 250.0
        frame = PoseFrame(
            camera="",
            epoch=1,
            seq=seq,
            captured_at_ns=time_ms * 1_000_000,
            size_px=(640, 480),
            boxes_xyxy_px=boxes[:people].copy(),
            scores=scores[:people],
            keypoints_px=keypoints[:people],
            appearance=appearance[:people],
            camera_motion=CameraMotion(0, (1.0, 0.0, float(seq == 4), 0.0, 1.0, 0.0), 0.0),
        )
        rules.update(tracker.update(frame))
    actors = People(2, 1)
    rows = actors.add([1], 0.0, keypoints[:1], 0.0)
    features_of(windows_of(actors.known, rows, 0.0, (640, 480)))
    foot_points_px(boxes, keypoints, (640, 480))
    body_heights_px(boxes, keypoints)
