"""False positives of the synthetic network: objects that look like people, and mistakes of single frames.

Measured on MOT15's TUD-Stadtmitte with yolo11n-pose at 640: 1.22 a frame away from every body, 94 % of them where one
was within the last five frames (a poster and its reflection); their scores have the median 0.17, nine of ten are below
0.37, the highest is 0.75. A second clip from above (PETS2009 S2L1) has 0.03 a frame.
"""

from __future__ import annotations

import numpy as np

from benchmarks.scenes.bodies import JOINTS
from benchmarks.scenes.detections import SyntheticDetections
from benchmarks.scenes.noise import LastingNoise, sigmoid
from posebus.arrays import Float64Array

POSTERS = 1.5
"""The mean number of places in a scene that look like a person."""

POSTER_LOGIT, POSTER_SPREAD, POSTER_FLICKER, POSTER_TIME_S = -2.0, 0.7, 0.7, 0.5
"""Score of such a place: mean and deviation between places, deviation over time, and how long that lasts."""

PASSING_PER_FRAME = 0.12
PASSING_SCORE = 0.07
"""False positives of single frames, and the mean of their scores above the lowest one."""

SHAKE = 0.006
"""Deviation from frame to frame of the box and joints of a poster, in heights."""


def clutter(
    frames: int, dt_s: float, size_px: tuple[int, int], height_px: float, strength: float, rng: np.random.Generator
) -> list[SyntheticDetections]:
    """The false positives of each frame, about `height_px` high, `strength` times as many as were measured."""
    posters = int(rng.poisson(POSTERS * strength))
    spots = rng.uniform((0.02, 0.25), (0.98, 0.75), (posters, 2)) * size_px
    tall = height_px * rng.uniform(0.7, 1.3, posters)
    level = rng.normal(POSTER_LOGIT, POSTER_SPREAD, posters)
    flicker = LastingNoise(rng, (frames, posters), dt_s).lasting(POSTER_TIME_S).reshape(frames, posters)
    figures = _figures(posters, rng)
    result = []
    for index in range(frames):
        still = _placed(spots, tall, figures, sigmoid(level + POSTER_FLICKER * flicker[index]), rng)
        count = int(rng.poisson(PASSING_PER_FRAME * strength))
        at = rng.uniform((0, 0.1), (1, 0.9), (count, 2)) * size_px
        scores = np.minimum(rng.exponential(PASSING_SCORE, count) + 0.05, 0.9)
        result.append(
            still.joined(_placed(at, height_px * rng.uniform(0.3, 1.2, count), _figures(count, rng), scores, rng))
        )
    return result


def _figures(count: int, rng: np.random.Generator) -> Float64Array:
    """Joints (count, 17, 3) with low confidences, in a box of height and width 1 around 0."""
    up = np.array([*[-0.42] * 5, *[-0.3] * 2, *[-0.15] * 2, *[0.0] * 2, *[0.02] * 2, *[0.25] * 2, *[0.45] * 2])
    place = np.column_stack([np.tile([0.0], JOINTS), up]) + rng.normal(0, (0.25, 0.05), (count, JOINTS, 2))
    return np.concatenate([place, rng.beta(1.0, 1.2, (count, JOINTS, 1))], axis=2)


def _placed(
    at: Float64Array, tall: Float64Array, figures: Float64Array, scores: Float64Array, rng: np.random.Generator
) -> SyntheticDetections:
    half = np.column_stack([0.19 * tall, 0.5 * tall])
    boxes = np.concatenate([at - half, at + half], axis=1)
    boxes = boxes + SHAKE * tall[:, None] * rng.normal(size=boxes.shape)
    joints = figures.copy()
    joints[..., :2] = at[:, None] + 2 * half[:, None] * figures[..., :2]
    joints[..., :2] += SHAKE * tall[:, None, None] * rng.normal(size=joints[..., :2].shape)
    return SyntheticDetections(boxes, scores, joints)
