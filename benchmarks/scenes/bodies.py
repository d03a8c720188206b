"""Walking bodies in three dimensions: 17 COCO joints, and the capsules between them that the body fills.

Lengths of segments relative to body height: R. Drillis and R. Contini, "Body segment parameters", 1966 (as in D.
Winter, "Biomechanics and motor control of human movement").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.scenes.camera import Camera
from benchmarks.scenes.walkers import Walks, stride_hz
from posebus.arrays import BoolArray, Float64Array

Indices = npt.NDArray[np.intp]

JOINTS = 17
ANKLE, SHANK, THIGH, TRUNK, UPPER_ARM, FOREARM, NECK = 0.039, 0.246, 0.245, 0.288, 0.186, 0.146, 0.115
SHOULDER_HALF, HIP_HALF, EYE_HALF, EAR_HALF = 0.105, 0.055, 0.018, 0.042

CROWN, CHIN, LEFT_TOE, LEFT_HAND, NAPE, LOINS = 17, 18, 19, 21, 23, 24
POINTS = 25
"""The joints are followed by points that only the outline needs; the right toe and hand follow the left ones."""

CAPSULES = (
    *((CROWN, CHIN, 0.050), (NAPE, LOINS, 0.106), (5, 11, 0.052), (6, 12, 0.052)),
    *((5, 7, 0.034), (6, 8, 0.034), (7, LEFT_HAND, 0.026), (8, LEFT_HAND + 1, 0.026)),
    *((11, 13, 0.052), (12, 14, 0.052), (13, 15, 0.036), (14, 16, 0.036)),
    *((15, LEFT_TOE, 0.024), (16, LEFT_TOE + 1, 0.024)),
)
"""Ends and radius of each capsule, relative to body height: head, trunk and its sides, arms, legs, feet."""

STANCE = 1.2 * np.pi
"""The part of the gait's cycle, in radians, during which a foot is on the ground; the stances of both feet overlap."""

LEG_M = 0.95
"""The leg length from which the step width is computed; a little too long, because the foot rolls."""

MEAN_STRIDE = 0.5
"""The step width in the steady box of an annotator, as a part of the full step."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """M bodies in the picture.

    points_px: (M, 25, 2) joints and outline points. girth: (M,) factor of the capsules' radii. distance_m: (M,) of the
    trunk. facing, left_side: (M,) cosines of the angles between the camera's direction and the front, and the left
    side. height_px: (M,) of the upright body at that distance.
    """

    points_px: Float64Array
    girth: Float64Array
    distance_m: Float64Array
    facing: Float64Array
    left_side: Float64Array
    height_px: Float64Array

    def select(self, rows: Indices | BoolArray) -> Bodies:
        """The bodies of the given rows."""
        return Bodies(
            points_px=self.points_px[rows],
            girth=self.girth[rows],
            distance_m=self.distance_m[rows],
            facing=self.facing[rows],
            left_side=self.left_side[rows],
            height_px=self.height_px[rows],
        )

    def capsules(self) -> tuple[Float64Array, Float64Array]:
        """Ends (M, C, 2, 2) and radii (M, C) of the capsules in pixels."""
        ends = self.points_px[:, np.array([row[:2] for row in CAPSULES])]
        return ends, (self.height_px * self.girth)[:, None] * np.array([row[2] for row in CAPSULES])

    def boxes_px(self) -> Float64Array:
        """Boxes (M, 4) around all capsules, which hold the whole body, occluded or not."""
        ends, radius = self.capsules()
        low = (ends - radius[:, :, None, None]).min(axis=(1, 2))
        high = (ends + radius[:, :, None, None]).max(axis=(1, 2))
        return np.concatenate([low, high], axis=1)


def bodies_of(walks: Walks, camera: Camera, *, steady: bool = False) -> Bodies:
    """All T * S bodies, frame by frame; those of empty places (person -1) are meaningless.

    steady: without the swing of the gait, as annotators draw the box of a walking person.
    """
    return projected(points_m(walks, steady=steady), walks, camera)


def points_m(walks: Walks, *, steady: bool = False) -> Float64Array:
    """Joints and outline points (T * S, 25, 3) of all bodies, x, y, z in metres; `steady` as in `bodies_of`."""
    person = walks.person.ravel()
    height = walks.people.height_m[person]
    swings = walks.people.swing[person]
    speed, phase = walks.speed_m_s.ravel(), walks.phase.ravel()
    if steady:
        swings, phase = swings * (MEAN_STRIDE, 0.0, 1.0), np.zeros_like(phase)
    forward, side, up = _skeleton(speed, phase, walks.bend.ravel(), walks.sit.ravel(), swings)
    forward, side, up = (part * height[:, None] for part in (forward, side, up))
    heading = walks.heading.ravel()
    cos, sin = np.cos(heading), np.sin(heading)
    x, y = walks.x_m.ravel(), walks.y_m.ravel()
    return np.stack(
        [
            x[:, None] + forward * cos[:, None] - side * sin[:, None],
            y[:, None] + forward * sin[:, None] + side * cos[:, None],
            up,
        ],
        axis=-1,
    )


def projected(points: Float64Array, walks: Walks, camera: Camera) -> Bodies:
    """The bodies in the picture whose `points_m` these are, moved or not, and whose headings are those of the walks."""
    person, heading = walks.person.ravel(), walks.heading.ravel()
    x, y = walks.x_m.ravel(), walks.y_m.ravel()
    cos, sin = np.cos(heading), np.sin(heading)
    points_px, depth = camera.project(points)
    trunk = depth[:, (NAPE, LOINS)].mean(axis=1)
    away = np.maximum(np.hypot(x, y), 0.1)
    facing, left_side = -(x * cos + y * sin) / away, (x * sin - y * cos) / away
    return Bodies(
        points_px=points_px,
        girth=walks.people.girth[person],
        distance_m=trunk,
        facing=facing,
        left_side=left_side,
        height_px=camera.focal_px * walks.people.height_m[person] / trunk,
    )


def _swing(phase: Float64Array) -> tuple[Float64Array, Float64Array]:
    """A leg's position between 1 (set down in front) and -1 (lifted behind), and how far it is lifted, 0..1.

    While on the ground it moves back evenly, as fast as the body moves forward, so that no foot slides.
    """
    turn = phase % (2 * np.pi)
    forward = np.clip((turn - STANCE) / (2 * np.pi - STANCE), 0.0, 1.0) * np.pi
    place = np.where(turn < STANCE, 1.0 - 2.0 * turn / STANCE, -np.cos(forward))
    return np.asarray(place), np.asarray(np.sin(forward))


def _skeleton(
    speed_m_s: Float64Array, phase: Float64Array, bend: Float64Array, sit: Float64Array, swings: Float64Array
) -> tuple[Float64Array, ...]:
    """Forward, left and up coordinates (M, 25) of joints and outline, in body heights, from the ground below the hips.

    swings: (M, 3) factors around 1 of the swing of legs and arms, and of the bend of the elbows.
    """
    stance_m = speed_m_s * STANCE / (2 * np.pi * np.maximum(stride_hz(speed_m_s), 0.2))
    amplitude = np.arcsin(np.minimum(swings[:, 0] * stance_m / 2 / LEG_M, 0.7))
    running = np.clip(speed_m_s - 2.0, 0, 1)
    lean = 0.04 + 0.06 * running + 1.2 * bend + 0.2 * sit
    forward, side, up = (np.zeros((len(phase), POINTS)) for _ in range(3))
    standing = np.zeros(len(phase))
    forward[:, NAPE], up[:, NAPE] = TRUNK * np.sin(lean), TRUNK * np.cos(lean)
    for sign, shift, right in ((1.0, 0.0, 0), (-1.0, np.pi, 1)):
        place, lifted = _swing(phase + shift)
        wave = amplitude * place
        thigh = wave * (1 - sit) + 0.2 * lifted * amplitude + 1.4 * sit - 0.1 * bend
        knee = (
            0.1 * np.maximum(np.sin(phase + shift), 0.0)
            + (1.4 + 1.2 * running) * amplitude * lifted
            + 1.45 * sit
            + 0.1 * bend
        )
        arm = -(0.55 + 0.35 * running) * swings[:, 1] * wave + 0.25 * sit + 0.3 * bend
        elbow = 0.2 * swings[:, 2] + 0.3 * amplitude + 1.2 * running + 0.6 * sit
        forward[:, 5 + right], up[:, 5 + right] = forward[:, NAPE], up[:, NAPE]
        for joint, half in ((5, 0.0), (7, 0.015), (9, 0.01), (LEFT_HAND, 0.005)):
            side[:, joint + right] = sign * (SHOULDER_HALF + half)
        for joint in (11, 13, 15, LEFT_TOE):
            side[:, joint + right] = sign * HIP_HALF
        for joint, angle, length, origin in (
            (7, arm, UPPER_ARM, 5),
            (9, arm + elbow, FOREARM, 7),
            (LEFT_HAND, arm + elbow, FOREARM + 0.06, 7),
            (13, thigh, THIGH, 11),
            (15, thigh - knee, SHANK, 13),
            (LEFT_TOE, thigh - knee + 1.3, 0.08, 15),
        ):
            forward[:, joint + right] = forward[:, origin + right] + length * np.sin(angle)
            up[:, joint + right] = up[:, origin + right] - length * np.cos(angle)
        standing = np.where(np.sin(phase + shift) >= 0, up[:, 15 + right], standing)
    _add_head(forward, side, up, 0.8 * lean)
    return forward, side, up + (ANKLE - standing)[:, None]


def _add_head(forward: Float64Array, side: Float64Array, up: Float64Array, nod: Float64Array) -> None:
    cos, sin = np.cos(nod), np.sin(nod)
    for joint, ahead, left, above in (
        *((0, 0.055, 0.0, -0.005), (1, 0.045, EYE_HALF, 0.015), (2, 0.045, -EYE_HALF, 0.015)),
        *((3, 0.0, EAR_HALF, 0.005), (4, 0.0, -EAR_HALF, 0.005), (CROWN, 0.005, 0.0, 0.018), (CHIN, 0.01, 0.0, -0.03)),
    ):
        forward[:, joint] = forward[:, NAPE] + (NECK + above) * sin + ahead * cos
        up[:, joint] = up[:, NAPE] + (NECK + above) * cos - ahead * sin
        side[:, joint] = left
