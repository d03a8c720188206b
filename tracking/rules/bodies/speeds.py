"""The speeds of the people of one frame, with what several rules of a camera remember of them in common."""

from __future__ import annotations

import numpy as np

from tracking.body_model.skeleton import JOINTS
from tracking.rules.bodies.descent import DOWN
from tracking.rules.bodies.pace import MOTION, PACE, follow_pace, speeds_of
from tracking.rules.scene import Scene

SHARED_KEY = "pace"
"""What is remembered of a person, in the memory that all rules of a camera share: the row of PACE columns."""

DECIMALS = 5


def speeds_in(scene: Scene) -> list[float]:
    """Speeds (N,) of the people in body heights a second, 0 where they are not known or the body is not upright."""
    people, size_px = scene.people, scene.frame.size_px
    joints = scene.keypoints_px
    if joints is None or joints.shape[1] != JOINTS:
        joints = np.zeros((len(people), JOINTS, 3))
    state, motion = np.full((len(people), PACE), -1.0), np.empty((len(people), MOTION))
    for row, one in enumerate(people):
        known = scene.shared.get(one.id, {}).get(SHARED_KEY)
        if known is not None and len(known) == PACE:
            state[row] = known
    fresh = np.array([not one.coasted for one in people], np.bool_)
    velocities = np.array([one.velocity_px_s for one in people], np.float64).reshape(len(people), 2)
    frame = (float(size_px[0]), float(size_px[1]), scene.captured_at_s)
    follow_pace(state, scene.boxes_px, joints, scene.heights_px, velocities, fresh, frame, motion)
    for one, seen, known in zip(people, fresh, np.round(state, DECIMALS).tolist(), strict=True):
        if seen:
            scene.shared.setdefault(one.id, {})[SHARED_KEY] = known
    boxes = scene.boxes_px
    speeds = speeds_of(motion, (boxes[:, :2] + boxes[:, 2:]) / 2.0, size_px)
    return [0.0 if down > 0.0 else speed for speed, down in zip(speeds, scene.bodies.state[:, DOWN], strict=True)]
