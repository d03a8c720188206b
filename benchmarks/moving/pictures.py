"""Pictures of a take, for trackers and estimators that look at them: a textured world, and textured people over it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np

from benchmarks.common.frames import BgrImage
from benchmarks.moving.camera import CameraPath
from benchmarks.moving.take import Take
from posebus.arrays import Float64Array

GRAIN_PX = (48, 12, 4)
"""Sizes of the patches that the world's texture consists of."""

OUTSIDE_PX = 400
"""The texture reaches this far beyond what the first frame shows of the world; farther out it is repeated mirrored."""

NOISE = 3.0
"""Deviation of the sensor's noise, in grey levels."""

FIGURE_PX = (64, 160)


def pictures(take: Take) -> Iterator[BgrImage]:
    """The pictures (H, W, 3), u8 BGR, one for each frame of the take, in order."""
    noise = np.random.default_rng(0)
    for place, frame in enumerate(take.film.frames):
        size_px = frame.size_px
        matrix = _view(take.path, place)
        canvas = cv2.warpAffine(
            world_texture(), matrix[:2], size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        for number, left, top, width, height in take.film.truth[place + 1]:
            _put(canvas, figure(number), (left, top, left + width, top + height))
        grain = noise.normal(0, NOISE, (size_px[1] // 2 + 1, size_px[0] // 2 + 1)).astype(np.float32)
        grain = cv2.resize(grain, size_px, interpolation=cv2.INTER_NEAREST)
        yield np.clip(canvas + grain[..., None], 0, 255).astype(np.uint8)


def _view(path: CameraPath | None, place: int) -> Float64Array:
    shift = np.eye(3)
    shift[:2, 2] = -OUTSIDE_PX
    return shift if path is None else np.asarray(path.matrices[place] @ shift)


@lru_cache(maxsize=1)
def world_texture(size_px: tuple[int, int] = (4800, 2000)) -> BgrImage:
    """A wall of patches of several sizes (H, W, 3), u8 BGR: corners and edges at every scale."""
    rng = np.random.default_rng(0)
    canvas = np.full((size_px[1], size_px[0], 3), 128.0, np.float32)
    for grain_px, strength in zip(GRAIN_PX, (40, 25, 12), strict=True):
        coarse = rng.normal(0, strength, (size_px[1] // grain_px + 1, size_px[0] // grain_px + 1, 3))
        flags = cv2.INTER_NEAREST if grain_px == GRAIN_PX[0] else cv2.INTER_LINEAR
        canvas += cv2.resize(coarse.astype(np.float32), size_px, interpolation=flags)
    return np.clip(canvas, 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def figure(number: int) -> tuple[BgrImage, np.ndarray]:
    """A person's picture (H, W, 3) and its shape (H, W), u8 0 or 255: head, trunk and legs in different patterns."""
    rng = np.random.default_rng([number, 5])
    wide, high = FIGURE_PX
    colours = np.repeat(rng.integers(20, 235, (3, 3)), (high // 8, high * 3 // 8, high // 2), axis=0)
    pattern = cv2.resize(rng.normal(0, 30, (high // 8, wide // 8, 3)), FIGURE_PX, interpolation=cv2.INTER_NEAREST)
    shape = np.zeros((high, wide), np.uint8)
    cv2.ellipse(shape, (wide // 2, high // 14), (wide // 7, high // 14), 0, 0, 360, 255, -1)
    cv2.ellipse(shape, (wide // 2, high // 3), (wide // 3, high // 4), 0, 0, 360, 255, -1)
    for side in (-1, 1):
        cv2.line(shape, (wide // 2, high // 2), (wide // 2 + side * wide // 4, high - 1), 255, wide // 6)
    return np.clip(colours[:, None] + pattern, 0, 255).astype(np.uint8), shape


def _put(canvas: BgrImage, drawn: tuple[BgrImage, np.ndarray], box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = (round(value) for value in box)
    size = (right - left, bottom - top)
    if min(size) < 2:
        return
    skin, shape = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in drawn)
    below = canvas[top:bottom, left:right]
    within = shape[: below.shape[0], : below.shape[1]] > 127
    below[within] = skin[: below.shape[0], : below.shape[1]][within]
