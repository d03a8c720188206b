"""A pinhole camera above a plane: from metres on the ground to pixels of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.scenes.kinds import SceneKind
from posebus.arrays import Float64Array


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera at the origin, `height_m` above the ground, that looks along y and down by `tilt` radians.

    Pixels are square, and the optical axis meets the middle of the picture.
    """

    size_px: tuple[int, int]
    focal_px: float
    height_m: float
    tilt: float

    def project(self, points_m: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Pixels (..., 2) and distances along the axis (...,) in metres of points (..., 3), x, y, z in metres."""
        x, y, z = points_m[..., 0], points_m[..., 1], points_m[..., 2] - self.height_m
        depth = np.maximum(y * np.cos(self.tilt) - z * np.sin(self.tilt), 0.2)
        down = -y * np.sin(self.tilt) - z * np.cos(self.tilt)
        u = self.size_px[0] / 2 + self.focal_px * x / depth
        v = self.size_px[1] / 2 + self.focal_px * down / depth
        return np.stack([u, v], axis=-1), depth

    def half_view_m(self, y_m: Float64Array) -> Float64Array:
        """Half the width of the picture, in metres on the ground at the distances y_m."""
        depth = y_m * np.cos(self.tilt) + self.height_m * np.sin(self.tilt)
        return np.asarray(self.size_px[0] / 2 / self.focal_px * depth)

    def out_below_m(self, tallest_m: float = 1.95) -> float:
        """The distance within which even a tall person is below the picture; at least 0.5."""
        bottom = self.tilt + np.arctan(self.size_px[1] / 2 / self.focal_px)
        return float(max(0.5, (self.height_m - tallest_m) / np.tan(bottom)))


def camera_of(scene: SceneKind) -> Camera:
    """The camera of a kind of scene."""
    return Camera(
        scene.size_px, scene.focal_widths * scene.size_px[0], scene.camera_height_m, float(np.deg2rad(scene.tilt_deg))
    )
