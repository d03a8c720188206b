"""Joints as the made-up network reports them: about where they are, or on the body in front.

Confidences are those of yolo11n-pose at 640 on MOT15's TUD-Stadtmitte (923 boxes of people in full sight, 56 of people
of whom 0.3 to 0.8 is visible); distances from the truth those on COCO's annotated people (18 on four pictures).
"""

from __future__ import annotations

import numpy as np

from benchmarks.scenes.bodies import JOINTS, Bodies
from benchmarks.scenes.kinds import Scene
from benchmarks.scenes.noise import Noise, sigmoid
from benchmarks.scenes.occlusion import Sight
from posebus.arrays import Float64Array

ERROR = np.array([*[0.008] * 5, *[0.018] * 2, *[0.024] * 2, *[0.027] * 2, *[0.021] * 2, *[0.022] * 2, *[0.027] * 2])
"""Deviation of each joint along each axis, in body heights: medians of the distance 0.011 (face), 0.026 (shoulders),
0.036, 0.036, 0.031, 0.031, 0.040 (ankles), less what annotators differ by."""

ERROR_TIME_S = 0.5
"""How long these last: from frame to frame joints shake far less than they are wrong."""

SHAKE = np.array([*[0.002] * 5, *[0.0022] * 2, *[0.0035] * 2, *[0.006] * 2, *[0.0022] * 2, *[0.003] * 2, *[0.004] * 2])
SHAKE_PX = 0.3
"""Deviation from frame to frame, in body heights and pixels of the network: second differences 0.003 (shoulders, hips)
to 0.008 (wrists) where 155 px high."""

HIDDEN_TIMES = 2.3
"""Hidden joints lie so much farther off: medians 0.07 to 0.08 for hips, knees and ankles out of sight."""

CONFIDENCE = np.array([*[2.3] * 5, *[4.0] * 2, *[1.7] * 2, *[0.6] * 2, *[4.9] * 2, *[4.3] * 2, *[3.2] * 2])
CONFIDENCE_SPREAD = np.array([*[1.1] * 7, *[0.8] * 4, *[1.1] * 6])
CONFIDENCE_TIME_S = 0.4
"""Logits of joints in sight and their deviation: medians 0.98 (shoulders), 0.83, 0.60, 0.99, 0.99, 0.96 (ankles)."""

TURNED_AWAY = -4.4
"""Added for a face that is turned away: medians 0.1 against 0.9."""

FAR_SIDE = -0.6
"""Added for the arm behind the trunk."""

HIDDEN = np.array([*[-2.0] * 7, *[-1.2] * 4, *[-2.0] * 6])
HALF_HIDDEN_BODY = -1.2
"""Added for a hidden joint, and for all joints of a body as far as it is hidden: medians in half hidden bodies are
0.87 (shoulders), 0.47, 0.30, 0.92, 0.90, 0.87 (ankles), hardly less for the legs that nobody can see."""

OUT_OF_REACH = -3.0
"""Added for a joint outside the picture or behind a thing."""

JUMP_ABOVE = 0.7
"""A lasting noise above this puts the hidden limbs on the body in front: one time in four."""

SWAP_ABOVE = 1.9
"""The same for legs seen from the side that are taken for each other: 3 times in a hundred."""

ARMS_AND_HEAD, LEGS = slice(0, 11), slice(11, 17)
SWAPPED_LEGS = [12, 11, 14, 13, 16, 15]


def joints_of(bodies: Bodies, sight: Sight, noise: Noise, scene: Scene) -> Float64Array:
    """(M, 17, 3) x, y in pixels and confidence; errors are `scene.detector.noise` times the measured ones."""
    at = bodies.points_px[:, :JOINTS].copy()
    in_front = at[np.maximum(sight.hider, 0)]
    behind_body = sight.open_joints & ~sight.joints & (sight.hider >= 0)[:, None]
    for limbs in (ARMS_AND_HEAD, LEGS):
        jumps = behind_body[:, limbs] & (noise.lasting(0.5) > JUMP_ABOVE)[:, None]
        at[:, limbs] = np.where(jumps[..., None], in_front[:, limbs], at[:, limbs])
    swaps = (noise.lasting(0.25) > SWAP_ABOVE) & (np.abs(bodies.facing) < 0.6)
    at[:, LEGS] = np.where(swaps[:, None, None], at[:, SWAPPED_LEGS], at[:, LEGS])
    height = bodies.height_px[:, None, None]
    deviation = ERROR * np.where(sight.joints, 1.0, HIDDEN_TIMES)
    error = deviation[..., None] * height * noise.lasting(ERROR_TIME_S, JOINTS, 2)
    error += np.hypot(SHAKE[:, None] * height, SHAKE_PX / scene.network_px()) * noise.jitter(JOINTS, 2)
    sure = sigmoid(_logits(bodies, sight) + CONFIDENCE_SPREAD * noise.lasting(CONFIDENCE_TIME_S, JOINTS))
    return np.concatenate([at + scene.detector.noise * error, sure[..., None]], axis=2)


def _logits(bodies: Bodies, sight: Sight) -> Float64Array:
    logits = np.tile(CONFIDENCE, (len(bodies.facing), 1))
    turned = np.interp(bodies.facing, (-0.4, 0.2), (TURNED_AWAY, 0.0))
    logits[:, :3] += turned[:, None]
    for left, sign in ((True, 1.0), (False, -1.0)):
        towards = sign * bodies.left_side
        logits[:, 3 if left else 4] += np.interp(towards, (-0.7, 0.0), (TURNED_AWAY, 0.0))
        logits[:, [7, 9] if left else [8, 10]] += np.interp(towards, (-0.8, -0.2), (FAR_SIDE, 0.0))[:, None]
    part = sight.visible / np.maximum(sight.inside, 1e-6)
    logits += HALF_HIDDEN_BODY * (1 - part)[:, None] * 2 * np.minimum(part + 0.5, 1.0)[:, None]
    logits += np.where(sight.joints, 0.0, np.where(sight.open_joints, HIDDEN, OUT_OF_REACH))
    return np.asarray(logits)
