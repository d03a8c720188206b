"""Joints of the synthetic network: near their true places, or on the body in front.

Confidences are those of yolo11n-pose at 640 on MOT15's TUD-Stadtmitte (923 boxes of fully visible people, 56 of people
with a visible part of 0.3 to 0.8); distances from the truth are those on COCO's annotated people (18 on four pictures).
"""

from __future__ import annotations

import numpy as np

from benchmarks.scenes.bodies import JOINTS, Bodies
from benchmarks.scenes.kinds import SceneKind
from benchmarks.scenes.noise import LastingNoise, sigmoid
from benchmarks.scenes.occlusion import Visibility
from posebus.arrays import Float64Array

ERROR = np.array([*[0.008] * 5, *[0.018] * 2, *[0.024] * 2, *[0.027] * 2, *[0.021] * 2, *[0.022] * 2, *[0.027] * 2])
"""Deviation of each joint along each axis, in body heights: the median distances are 0.011 (face), 0.026 (shoulders),
0.036, 0.036, 0.031, 0.031, 0.040 (ankles), less the differences between annotators."""

ERROR_TIME_S = 0.5
"""How long these errors last: joints move from frame to frame far less than they are wrong."""

SHAKE = np.array([*[0.002] * 5, *[0.0022] * 2, *[0.0035] * 2, *[0.006] * 2, *[0.0022] * 2, *[0.003] * 2, *[0.004] * 2])
SHAKE_PX = 0.3
"""Deviation from frame to frame, in body heights and in pixels of the network's input: second differences are 0.003
(shoulders, hips) to 0.008 (wrists) for bodies 155 px high."""

HIDDEN_TIMES = 2.3
"""The factor of these errors for occluded joints: the medians are 0.07 to 0.08 for hips, knees and ankles."""

CONFIDENCE = np.array([*[2.3] * 5, *[4.0] * 2, *[1.7] * 2, *[0.6] * 2, *[4.9] * 2, *[4.3] * 2, *[3.2] * 2])
CONFIDENCE_SPREAD = np.array([*[1.1] * 7, *[0.8] * 4, *[1.1] * 6])
CONFIDENCE_TIME_S = 0.4
"""Logits of visible joints, their deviation and its duration: the medians are 0.98 (shoulders), 0.83, 0.60, 0.99, 0.99,
0.96 (ankles)."""

TURNED_AWAY = -4.4
"""Added for a face that is turned away: the median is 0.1 instead of 0.9."""

FAR_SIDE = -0.6
"""Added for the arm behind the trunk."""

HIDDEN = np.array([*[-2.0] * 7, *[-1.2] * 4, *[-2.0] * 6])
HALF_HIDDEN_BODY = -1.2
"""Added for an occluded joint, and for all joints of a body in proportion to its occluded part: the medians in half
occluded bodies are 0.87 (shoulders), 0.47, 0.30, 0.92, 0.90, 0.87 (ankles), hardly less for invisible legs."""

OUT_OF_REACH = -3.0
"""Added for a joint outside the picture or behind a pillar."""

JUMP_ABOVE = 0.7
"""A lasting noise above this places the occluded limbs on the body in front: one time in four."""

SWAP_ABOVE = 1.9
"""A lasting noise above this swaps the legs of a body seen from the side: 3 times in a hundred."""

ARMS_AND_HEAD, LEGS = slice(0, 11), slice(11, 17)
SWAPPED_LEGS = [12, 11, 14, 13, 16, 15]


def joints_of(bodies: Bodies, visibility: Visibility, noise: LastingNoise, scene: SceneKind) -> Float64Array:
    """x and y in pixels and confidence (M, 17, 3) of each joint.

    Errors are `scene.detector.noise` times the measured ones.
    """
    at = bodies.points_px[:, :JOINTS].copy()
    in_front = at[np.maximum(visibility.hider, 0)]
    behind_body = visibility.open_joints & ~visibility.joints & (visibility.hider >= 0)[:, None]
    for limbs in (ARMS_AND_HEAD, LEGS):
        jumps = behind_body[:, limbs] & (noise.lasting(0.5) > JUMP_ABOVE)[:, None]
        at[:, limbs] = np.where(jumps[..., None], in_front[:, limbs], at[:, limbs])
    swaps = (noise.lasting(0.25) > SWAP_ABOVE) & (np.abs(bodies.facing) < 0.6)
    at[:, LEGS] = np.where(swaps[:, None, None], at[:, SWAPPED_LEGS], at[:, LEGS])
    height = bodies.height_px[:, None, None]
    deviation = ERROR * np.where(visibility.joints, 1.0, HIDDEN_TIMES)
    error = deviation[..., None] * height * noise.lasting(ERROR_TIME_S, JOINTS, 2)
    error += np.hypot(SHAKE[:, None] * height, SHAKE_PX / scene.network_px()) * noise.jitter(JOINTS, 2)
    confidences = sigmoid(_logits(bodies, visibility) + CONFIDENCE_SPREAD * noise.lasting(CONFIDENCE_TIME_S, JOINTS))
    return np.concatenate([at + scene.detector.noise * error, confidences[..., None]], axis=2)


def _logits(bodies: Bodies, visibility: Visibility) -> Float64Array:
    logits = np.tile(CONFIDENCE, (len(bodies.facing), 1))
    turned = np.interp(bodies.facing, (-0.4, 0.2), (TURNED_AWAY, 0.0))
    logits[:, :3] += turned[:, None]
    for left, sign in ((True, 1.0), (False, -1.0)):
        towards = sign * bodies.left_side
        logits[:, 3 if left else 4] += np.interp(towards, (-0.7, 0.0), (TURNED_AWAY, 0.0))
        logits[:, [7, 9] if left else [8, 10]] += np.interp(towards, (-0.8, -0.2), (FAR_SIDE, 0.0))[:, None]
    part = visibility.visible / np.maximum(visibility.inside, 1e-6)
    logits += HALF_HIDDEN_BODY * (1 - part)[:, None] * 2 * np.minimum(part + 0.5, 1.0)[:, None]
    logits += np.where(visibility.joints, 0.0, np.where(visibility.open_joints, HIDDEN, OUT_OF_REACH))
    return np.asarray(logits)
