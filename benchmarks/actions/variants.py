"""More people to learn from: postures that the catalogue of scripts has only in one form, and other places of cameras.

Nothing here is judged by: the generated scenes that answers are judged on are of the catalogue alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.scenes.camera import Camera
from benchmarks.skeletons.kinds import KINDS, VARIANTS
from benchmarks.skeletons.pose import posture
from benchmarks.skeletons.scene import SIZES_PX, SkeletonScene, scene_of
from benchmarks.skeletons.script import Part, Script
from posebus.arrays import Float64Array

Rng = np.random.Generator

NEAREST_M, FARTHEST_M = 1.8, 6.0
LOWEST_M, HIGHEST_M = 0.6, 3.2
"""Where cameras of rooms are."""


def _arms(rng: Rng) -> dict[str, float]:
    """Arms as people hold them when they exercise: hanging, forward, before the chest, or behind the head."""
    held = ((0.1, 0.2, 0.1), (1.5, 0.1, 0.1), (0.8, 2.2, 0.3), (2.5, 2.2, 0.7))[rng.integers(4)]
    forward, elbow, out = (value + rng.normal(0.0, 0.15) for value in held)
    return {"arm": forward, "elbow": max(elbow, 0.0), "arm_out": max(out, 0.0)}


def _squat(rng: Rng, arms: dict[str, float]) -> Float64Array:
    """A squat of any depth, with the trunk so far forward that the body balances over its feet, and knees apart."""
    depth = rng.uniform(0.6, 1.0)
    lean = depth * rng.uniform(0.2, 1.0)
    return posture(
        trunk=lean,
        nod=-rng.uniform(0.0, 1.0) * lean,
        thigh=depth * rng.uniform(1.6, 2.0),
        knee=depth * rng.uniform(1.9, 2.4),
        leg_out=rng.uniform(0.0, 0.8),
        **arms,
    )


def _squats(rng: Rng) -> Script:
    """Squats without a break, or with rests at the lowest point, from the first frame on."""
    arms = _arms(rng)
    low, high = _squat(rng, arms), posture(**arms)
    count, period_s = int(rng.integers(3, 7)), rng.uniform(1.2, 4.0)
    if rng.random() < 0.6:
        return Script((Part("squatting", count * period_s, low, repeat=count),), first=high)
    parts = []
    for _ in range(count):
        parts += [Part("squat_down", 0.4 * period_s, low), Part("squatting", rng.uniform(0.5, 5.0), low)]
        parts += [Part("stand_up", 0.4 * period_s, high), Part("standing", rng.uniform(0.2, 1.5), high)]
    return Script(tuple(parts), first=high)


def _low_squat(rng: Rng) -> Script:
    """Squatting for a while, as people do who rest or work on the ground, from the first frame on."""
    parts = [Part("squatting", rng.uniform(2.0, 4.0), _squat(rng, _arms(rng))) for _ in range(2)]
    return Script(tuple(parts), first=parts[0].posture)


def _seat(rng: Rng) -> Float64Array:
    sides = {}
    for side in ("_l", "_r"):
        sides |= {f"thigh{side}": rng.uniform(1.25, 1.75), f"knee{side}": rng.uniform(0.5, 1.9)}
        sides |= {f"leg_out{side}": rng.uniform(0.0, 0.5), f"arm{side}": rng.uniform(-0.2, 1.4)}
        sides |= {f"elbow{side}": rng.uniform(0.1, 2.0), f"arm_out{side}": rng.uniform(0.0, 0.6)}
    return posture(trunk=rng.uniform(-0.45, 0.6), nod=rng.uniform(-0.2, 0.6), **sides)


def _seats(rng: Rng) -> Script:
    """Sitting with each leg in its own way; in half of the scenes a table or other chairs hide what is low."""
    first = _seat(rng)
    hidden_m = rng.uniform(0.1, 0.6) if rng.random() < 0.5 else 0.0
    parts = tuple(Part("sitting", rng.uniform(2.0, 4.0), first + rng.normal(0.0, 0.1, len(first))) for _ in range(3))
    return Script(parts, first=first, hidden_below_m=hidden_m)


def _prone_work(rng: Rng) -> Script:
    """Push-ups and planks on hands or forearms, and people on all fours, from the first frame on."""
    kind = rng.integers(4)
    pitch = rng.uniform(1.1, 1.5)
    body = {"trunk": rng.uniform(-0.15, 0.25), "thigh": rng.uniform(-0.15, 0.3), "knee": rng.uniform(0.0, 0.3)}
    high = posture(pitch=pitch, arm=pitch + rng.normal(0.0, 0.15), elbow=0.05, arm_out=rng.uniform(0.0, 0.5), **body)
    low = posture(
        pitch=1.5, arm=rng.uniform(0.4, 1.2), elbow=rng.uniform(1.2, 2.0), arm_out=rng.uniform(0.2, 0.8), **body
    )
    forearms = posture(pitch=rng.uniform(1.35, 1.55), arm=rng.uniform(1.3, 1.7), elbow=1.5, **body)
    fours = posture(
        pitch=1.45, thigh=rng.uniform(1.2, 1.7), knee=rng.uniform(1.3, 1.7), arm=rng.uniform(1.2, 1.7), elbow=0.1
    )
    if kind == 0:
        count = int(rng.integers(3, 8))
        return Script((Part("push_up", count * rng.uniform(1.0, 3.0), low, repeat=count),), first=high)
    held = (low, forearms if rng.random() < 0.5 else high, fours)[kind - 1]
    return Script((Part("push_up", rng.uniform(4.0, 7.0), held),), first=held)


def _half_lying(rng: Rng) -> Script:
    """A person who fell lies half, on an elbow, on the side or on the back, and moves."""

    def half() -> Float64Array:
        sides = {f"{name}{side}": rng.uniform(*reach) for side in ("_l", "_r") for name, reach in reaches.items()}
        roll = rng.choice([-1.0, 1.0]) * rng.uniform(0.8, 1.5) if on_side else 0.0
        pitch = 0.0 if on_side else rng.uniform(-1.2, -0.6)
        return posture(pitch=pitch, roll=roll, trunk=rng.uniform(-0.1, 0.5), **sides)

    on_side = rng.random() < 0.5
    reaches = {"thigh": (0.0, 1.5), "knee": (0.0, 1.8), "arm": (-0.6, 1.5), "elbow": (0.0, 1.5), "arm_out": (0.0, 0.8)}
    first = half()
    return Script(tuple(Part("fallen", rng.uniform(1.5, 4.0), half()) for _ in range(3)), first=first)


MORE: dict[str, Callable[[Rng], Script]] = {
    "squats": _squats,
    "low_squat": _low_squat,
    "seats": _seats,
    "prone_work": _prone_work,
    "half_lying": _half_lying,
}
"""By name; a maker draws one script of its kind."""


def room_camera(rng: Rng, distance_m: float) -> Camera:
    """A camera in a room, at any height between a table and the ceiling, that looks at a person's middle or near it."""
    size_px = SIZES_PX[rng.integers(len(SIZES_PX))]
    height_m = rng.uniform(LOWEST_M, HIGHEST_M)
    tilt = np.arctan2(height_m - rng.uniform(0.3, 1.2), distance_m)
    return Camera(size_px, rng.uniform(0.6, 1.1) * size_px[0], height_m, float(tilt))


def varied_scene(kind: str, fps: float, seed: int, noise: float, missing: float) -> SkeletonScene:
    """A scene of `MORE`, or of the catalogue, before a camera in a room, so near that parts of people are often outside
    the picture. The scenes of the catalogue are others than those of `benchmarks.skeletons.scene`."""
    makers = KINDS | VARIANTS | MORE
    rng = np.random.default_rng([11, seed, sorted(makers).index(kind)])
    distance_m = rng.uniform(NEAREST_M, FARTHEST_M)
    camera = room_camera(rng, distance_m)
    place_m = (float(rng.uniform(-0.4, 0.4) * camera.half_view_m(np.array(distance_m))), distance_m)
    script = replace(makers[kind](rng), place_m=place_m)
    return scene_of(script, kind, fps, rng, noise=noise, missing=missing, camera=camera)
