"""The speeds of the people of one frame, computed once for all rules about bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from posebus.arrays import Float64Array
from posebus.messages import Track
from tracking.body_model.skeleton import JOINTS
from tracking.rules.bodies.bodies import BodiesOfFrame
from tracking.rules.bodies.descent import DOWN
from tracking.rules.bodies.pace import MOTION, PACE, follow_pace, speeds_of

SHARED_KEY = "pace"
"""What is remembered of a person, in the memory that all rules of a camera share: the row of PACE columns."""

DECIMALS = 5


def speeds_of_bodies(
    people: Sequence[Track],
    boxes_px: Float64Array,
    keypoints_px: Float64Array | None,
    heights_px: Float64Array,
    size_px: tuple[int, int],
    now_s: float,
    bodies: BodiesOfFrame,
    shared: dict[int, dict[str, Any]],
) -> list[float]:
    """Speeds (N,) of the people in body heights a second, 0 where they are not known or the body is not upright.

    Args:
        people: N tracks.
        boxes_px: (N, 4).
        keypoints_px: (N, K, 3), or None; only those of 17 joints are used.
        heights_px: (N,) of the bodies upright.
        size_px: (width, height) of the picture.
        now_s: capture time.
        bodies: of the same people.
        shared: memory by track id, see `Scene.shared`; it is changed.
    """
    if keypoints_px is None or keypoints_px.shape[1] != JOINTS:
        keypoints_px = np.zeros((len(people), JOINTS, 3))
    state, motion = np.full((len(people), PACE), -1.0), np.empty((len(people), MOTION))
    for row, one in enumerate(people):
        known = shared.get(one.id, {}).get(SHARED_KEY)
        if known is not None and len(known) == PACE:
            state[row] = known
    fresh = np.array(bodies.fresh, np.bool_)
    velocities = np.array([one.velocity_px_s for one in people], np.float64).reshape(len(people), 2)
    frame = (float(size_px[0]), float(size_px[1]), now_s)
    follow_pace(state, boxes_px, keypoints_px, heights_px, velocities, fresh, frame, motion)
    for one, seen, known in zip(people, bodies.fresh, np.round(state, DECIMALS).tolist(), strict=True):
        if seen:
            shared.setdefault(one.id, {})[SHARED_KEY] = known
    speeds = speeds_of(motion, (boxes_px[:, :2] + boxes_px[:, 2:]) / 2.0, size_px)
    return [0.0 if down > 0.0 else speed for speed, down in zip(speeds, bodies.state[:, DOWN], strict=True)]
