"""Colours of the people of a synthetic scene, as a worker would read them from its pictures.

Each frame is painted roughly: a textured ground, then the bodies from far to near, each in its own clothes. The
worker's own code describes the detections in that picture. So a joint on another body gets that body's colours, and
hidden parts have no weight, as in a recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks.common.frames import BgrImage
from benchmarks.scenes.bodies import CAPSULES, Bodies, bodies_of
from benchmarks.scenes.camera import camera_of
from benchmarks.scenes.kinds import SceneKind
from benchmarks.scenes.noise import LastingNoise
from benchmarks.scenes.walkers import walk
from posebus.arrays import Float64Array
from posebus.contract.appearance import SIZE
from posebus.messages import PoseFrame
from workers.detections import Detections
from workers.outputs.appearance import describe

LONGEST_PX = 960
"""Longest side of the painted pictures: bodies of 100 px are described as well as larger ones."""

GARMENTS = 5
SKIN, TOP, WAIST, LEGS, SHOES = range(GARMENTS)
WORN = (SKIN, TOP, TOP, TOP, *[TOP] * 4, LEGS, LEGS, LEGS, LEGS, SHOES, SHOES)
"""The garment of each of the CAPSULES; the lower half of the trunk has the colour WAIST."""

MEAN = (-0.6, 0.0, 0.0)
BETWEEN = (0.65, 0.14, 0.18)
"""Lightness, red against green and blue against yellow, as logarithms relative to the picture's mean: mean and
deviation between garments."""

WAIST_DIFFERS = (0.25, 0.04, 0.05)
"""Deviation of the lower half of a trunk from the upper one."""

WITHIN = (0.12, 0.02, 0.025)
WITHIN_TIME_S = 1.5
"""Deviation of a garment within a person over time, from light and folds, and how long it lasts."""

SHADE = 0.2
"""Deviation of the lightness between the capsules of one garment, lasting as long."""

JITTER = 0.5
"""Deviation from frame to frame, as a part of WITHIN."""

_TO_RGB = np.linalg.inv(np.array(((1 / 3, 1 / 3, 1 / 3), (1, -1, 0), (-0.5, -0.5, 1))))
GROUND = 120.0


@dataclass(frozen=True, slots=True)
class Clothes:
    """Colours (M, C, 3) of the capsules of M bodies, and of the lower half of the trunk (M, 3): logarithms of red,
    green and blue."""

    capsules: Float64Array
    waist: Float64Array


def dressed(kind: SceneKind, seed: int, frames: list[PoseFrame]) -> list[PoseFrame]:
    """The frames of `scene(kind, seed)` with `appearance`, from random numbers of their own."""
    camera = camera_of(kind)
    walks = walk(kind, camera, np.random.default_rng([seed, 0]))
    bodies, person = bodies_of(walks, camera), walks.person
    clothes = _clothes(person, 1.0 / kind.fps, np.random.default_rng([seed, 3]))
    scale = min(1.0, LONGEST_PX / max(kind.size_px))
    places = person.shape[1]
    grounds = _grounds((round(kind.size_px[0] * scale), round(kind.size_px[1] * scale)), seed)
    result = []
    for index, (frame, ground) in enumerate(zip(frames, grounds, strict=False)):
        rows = index * places + np.flatnonzero(person[index] >= 0)
        picture = _painted(ground, bodies, rows, clothes, scale)
        assert frame.keypoints_px is not None
        people = Detections(frame.boxes_xyxy_px, frame.scores, frame.keypoints_px)
        colours = describe(picture, people, kind.size_px)
        result.append(replace(frame, appearance=np.zeros((0, SIZE), np.float32) if colours is None else colours))
    return result


def _clothes(person: np.ndarray, dt_s: float, rng: np.random.Generator) -> Clothes:
    count = max(int(person.max()) + 1, 1)
    garments = np.array(MEAN) + rng.normal(size=(count, GARMENTS, 3)) * BETWEEN
    garments[:, WAIST] = garments[:, TOP] + rng.normal(size=(count, 3)) * WAIST_DIFFERS
    garments[:, SKIN] = (-0.1, 0.25, -0.3)
    noise = LastingNoise(rng, (person.shape[0], person.shape[1]), dt_s)
    worn = (
        garments[person.ravel()]
        + (noise.lasting(WITHIN_TIME_S, GARMENTS, 3) + JITTER * noise.jitter(GARMENTS, 3)) * WITHIN
    )
    capsules = worn[:, list(WORN)]
    capsules += SHADE * noise.lasting(WITHIN_TIME_S, len(CAPSULES))[..., None] * (1.0, 0.0, 0.0)
    return Clothes(capsules @ _TO_RGB.T, worn[:, WAIST] @ _TO_RGB.T)


def _grounds(size_px: tuple[int, int], seed: int) -> Iterator[BgrImage]:
    """Endless pictures of the ground."""
    rng = np.random.default_rng([seed, 4])
    coarse = rng.normal(0.0, 0.5, (size_px[1] // 16 + 1, size_px[0] // 16 + 1, 3)).astype(np.float32)
    ground = cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC)
    picture = np.clip(GROUND * np.exp(ground), 0, 255).astype(np.uint8)
    while True:
        yield picture.copy()


def _painted(canvas: BgrImage, bodies: Bodies, rows: np.ndarray, clothes: Clothes, scale: float) -> BgrImage:
    """Paint the bodies of `rows`, far ones first, in RGB."""
    ends, radius = bodies.select(rows).capsules()
    ends, radius = ends * scale, radius * scale
    for place in np.argsort(-bodies.distance_m[rows], kind="stable").tolist():
        row = rows[place]
        for capsule in _ORDER:
            _line(canvas, ends[place, capsule], radius[place, capsule], clothes.capsules[row, capsule])
            if capsule in _TRUNK:
                lower = ends[place, capsule].copy()
                lower[0] = lower.mean(axis=0)
                _line(canvas, lower, radius[place, capsule], clothes.waist[row])
    return canvas


_TRUNK = (1, 2, 3)
_ORDER = (0, 12, 13, 10, 11, 8, 9, 2, 3, 1, 4, 5, 6, 7)


def _line(canvas: BgrImage, ends: Float64Array, radius: float, colour: Float64Array) -> None:
    value = np.clip(GROUND * np.exp(colour), 0, 255).astype(int).tolist()
    (x0, y0), (x1, y1) = np.clip(ends, -3000, 5000).round().astype(int).tolist()
    cv2.line(canvas, (x0, y0), (x1, y1), value, max(1, round(2 * radius)))
