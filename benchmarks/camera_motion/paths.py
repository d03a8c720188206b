"""Paths of a camera: for each frame the map from the whole picture to the window that is seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from posebus.arrays import Float64Array

VIEW = 0.6
"""The window has this part of the picture's sides, unless a path zooms."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the window looks: its middle, in parts of the window's width and height from the middle of the picture, and
    its size and turn."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    turn_deg: float = 0.0
    cut: bool = False
    """Whether the picture shows another place from this frame on."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path of `frames` poses at `fps`."""

    name: str
    fps: float
    frames: int
    pose: Callable[[float, int], Pose]
    """From seconds and the frame's number."""

    def poses(self) -> Sequence[Pose]:
        """The pose of each frame."""
        return [self.pose(index / self.fps, index) for index in range(self.frames)]


def window(pose: Pose, whole_px: tuple[int, int], seen_px: tuple[int, int]) -> Float64Array:
    """Return the map (3, 3) from pixels of the whole picture to pixels of the window that `pose` shows."""
    scale = seen_px[0] / (VIEW * whole_px[0]) * pose.zoom
    angle = math.radians(pose.turn_deg)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array(((cos, -sin), (sin, cos)))
    middle = np.array(whole_px) / 2 + np.array((pose.x, pose.y)) * VIEW * np.array(whole_px)
    shift = np.array(seen_px) / 2 - linear @ middle
    return np.vstack((np.column_stack((linear, shift)), (0.0, 0.0, 1.0)))


def _shake(_: float, index: int) -> Pose:
    """Jumps of up to 40 px in 1280, anew in each frame."""
    rng = np.random.default_rng(index + 7)
    dx, dy = rng.uniform(-1, 1, 2) * 40 / 1280
    return Pose(dx, dy * 16 / 9 * 0.5, turn_deg=rng.uniform(-0.3, 0.3))


def _walk(seconds: float, _: int) -> Pose:
    """A body camera: steps twice a second, swaying and turning."""
    return Pose(
        0.02 * math.sin(2 * math.pi * seconds) + 0.02 * math.sin(0.7 * seconds),
        0.025 * abs(math.sin(2 * math.pi * seconds)),
        1 + 0.05 * math.sin(0.5 * seconds),
        1.5 * math.sin(2 * math.pi * seconds + 1),
    )


def _ramp(seconds: float, begin_s: float, end_s: float) -> float:
    return min(1.0, max(0.0, (seconds - begin_s) / (end_s - begin_s)))


PATHS = (
    Path("still", 25, 60, lambda s, i: Pose()),
    Path("still, 1 fps", 1, 40, lambda s, i: Pose()),
    Path("shake 10 fps", 10, 50, _shake),
    Path("shake 25 fps", 25, 50, _shake),
    Path("sway of a pole", 25, 60, lambda s, i: Pose(0.01 * math.sin(3 * s), 0.006 * math.sin(2 * s))),
    Path("slow pan 1 % a second", 25, 100, lambda s, i: Pose(-0.02 + 0.01 * s)),
    Path("pan 10 fps", 10, 30, lambda s, i: Pose(-0.16 + 0.3125 * _ramp(s, 1.0, 1.4))),
    Path("pan to and fro 10 fps", 10, 40, lambda s, i: Pose(0.15 * math.sin(2.5 * s), 0.05 * math.sin(1.3 * s))),
    Path("zoom 10 fps", 10, 30, lambda s, i: Pose(zoom=2.0 ** _ramp(s, 1.0, 1.5))),
    Path("zoom out 10 fps", 10, 30, lambda s, i: Pose(zoom=2.0 ** (1 - _ramp(s, 1.0, 1.5)))),
    Path("turn 10 fps", 10, 30, lambda s, i: Pose(turn_deg=30 * _ramp(s, 1.0, 2.0) - 15)),
    Path("walk 25 fps", 25, 75, _walk),
    Path("walk 5 fps", 5, 40, _walk),
    Path("jump without overlap", 10, 24, lambda s, i: Pose(cut=i == 12)),
)
