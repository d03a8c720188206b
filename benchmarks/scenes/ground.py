"""The ground before the camera: where people may walk, where they enter and where they leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.scenes.camera import Camera
from benchmarks.scenes.kinds import SceneKind
from posebus.arrays import Float64Array

LEFT, RIGHT, NEAR, FAR = range(4)

ASIDE_M = 1.5
"""How far outside the picture people appear and vanish; not in a corridor, where they stay between the walls."""

SIDE_CHANCES = (0.35, 0.35, 0.15, 0.15)
"""Probabilities of the sides where people of the flow `any` enter and leave: left, right, near, far."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground in metres: x to the right of the camera's axis, y away from the camera.

    near_m: the distance at which people leave the picture below. aside_m: how far the ground extends beyond the view.
    """

    scene: SceneKind
    camera: Camera
    near_m: float
    aside_m: float

    def half_view_m(self, y_m: Float64Array) -> Float64Array:
        """Half the width of the ground within the picture at the distances y_m."""
        half = self.camera.half_view_m(np.asarray(y_m))
        return half if self.scene.half_width_m is None else np.minimum(half, self.scene.half_width_m)

    def share_in_view(self) -> float:
        """The part of the ground on which a quarter of the body or more is in the picture."""
        y = np.linspace(self.near_m, self.scene.far_m, 100)[:, None]
        half = self.half_view_m(y) + self.aside_m
        x = np.linspace(-1.0, 1.0, 101) * half
        left_foot, right_head = (
            self.camera.project(np.stack([x + side, np.broadcast_to(y, x.shape), np.full(x.shape, up)], axis=-1))[0]
            for side, up in ((-0.25, 0.0), (0.25, 1.75))
        )
        low, high = np.minimum(left_foot, right_head), np.maximum(left_foot, right_head)
        shown = np.clip(high, 0, self.scene.size_px) - np.clip(low, 0, self.scene.size_px)
        in_view = shown.prod(axis=-1) >= 0.25 * (high - low).prod(axis=-1)
        return float((in_view * half).sum() / (np.ones_like(x) * half).sum())

    def way_through(self, rng: np.random.Generator) -> tuple[int, int]:
        """Two sides: where a person enters and where they leave."""
        if self.scene.flow == "any":
            sides = rng.choice((LEFT, RIGHT, NEAR, FAR), 2, replace=False, p=SIDE_CHANCES)
            return int(sides[0]), int(sides[1])
        first, second = (LEFT, RIGHT) if self.scene.flow == "across" else (NEAR, FAR)
        return (first, second) if rng.random() < 0.5 else (second, first)

    def border_m(self, side: int, rng: np.random.Generator) -> Float64Array:
        """A point (2,) of that side, out of the picture; people of the far side enter through a door in view."""
        if side in (LEFT, RIGHT):
            y = rng.uniform(self.scene.near_m, self.scene.far_m)
            half = float(self.half_view_m(np.array(y))) + self.aside_m
            return np.array([-half if side == LEFT else half, y])
        y = self.near_m if side == NEAR else self.scene.far_m
        half = float(self.half_view_m(np.array(y))) + self.aside_m
        return np.array([rng.uniform(-0.9, 0.9) * half, y])

    def inner_m(self, rng: np.random.Generator) -> Float64Array:
        """A point (2,) in the picture."""
        y = rng.uniform(self.scene.near_m, self.scene.far_m)
        return np.array([rng.uniform(-0.9, 0.9) * float(self.half_view_m(np.array(y))), y])

    def is_outside(self, at_m: Float64Array) -> npt.NDArray[np.bool_]:
        """(S,) whether points (S, 2) are off the ground."""
        x, y = at_m.T
        outside = (y < self.near_m - 0.3) | (y > self.scene.far_m + 0.5)
        if self.scene.half_width_m is None:
            outside |= np.abs(x) > self.half_view_m(y) + self.aside_m + 0.4
        return np.asarray(outside)


def ground_of(scene: SceneKind, camera: Camera) -> Ground:
    """The ground of a kind of scene; people who enter from the near side start below the picture."""
    near_m = scene.near_m if scene.flow == "across" else min(scene.near_m, camera.out_below_m())
    return Ground(scene, camera, near_m, ASIDE_M if scene.half_width_m is None else 0.0)
