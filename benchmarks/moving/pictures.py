"""Pictures of a take, for trackers and estimators that look at them: a textured world, and textured people over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.common.frames import BgrImage
from benchmarks.moving.camera import CameraPath
from benchmarks.moving.take import Take
from posebus.arrays import Float64Array
from workers.detections import Detections
from workers.outputs.appearance import describe

GRAIN = ((160, 30.0), (48, 22.0), (14, 12.0), (5, 8.0))
"""Sizes in pixels of the patches that the world's texture consists of, and their deviation in grey levels: smooth at
the smallest scales, with edges at the larger ones."""

COLOUR = 0.4
"""Deviation of a patch's colours from its grey, as a part of its deviation in grey."""

OUTSIDE_PX = 400
"""The texture begins this far to the left of the world and above it; beyond its end it is repeated mirrored."""

NOISE = 3.0
"""Deviation of the sensor's noise, in grey levels."""

FIELDS = 4
"""Independent fields of noise, which the frames take in turn."""

FIGURE_PX = (64, 160)

MIDDLE_GREY, LIGHTNESS, COLOURFULNESS = 120.0, (-0.6, 0.65), 0.15
"""Clothes are mostly grey and dark: mean and deviation of the logarithm of their lightness, relative to a middle grey,
and deviation of the logarithms of red, green and blue from it."""

FOLDS = 12.0
"""Deviation of the grey levels within one garment."""


def pictures(take: Take) -> Iterator[BgrImage]:
    """The pictures (H, W, 3), u8 BGR, one for each frame of the take, in order."""
    sensor = sensor_noise()
    for place, frame in enumerate(take.film.frames):
        size_px = frame.size_px
        matrix = _view(take.path, place)
        canvas = cv2.warpAffine(
            world_texture(), matrix[:2], size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        # Who stands nearer stands lower in the picture, and hides the others.
        for number, left, top, width, height in sorted(take.film.truth[place + 1], key=lambda row: row[2] + row[4]):
            _put(canvas, figure(number, take.wardrobe), (left, top, left + width, top + height))
        grain = sensor[place % FIELDS][: size_px[1], : size_px[0]]
        yield np.asarray(cv2.add(canvas, cv2.merge([grain] * 3), dtype=cv2.CV_8U), np.uint8)


def with_colours(take: Take) -> Take:
    """The take whose detections have the colours that the worker reads from its pictures."""
    frames = []
    for frame, picture in zip(take.film.frames, pictures(take), strict=True):
        assert frame.keypoints_px is not None
        people = Detections(frame.boxes_xyxy_px, frame.scores, frame.keypoints_px)
        colours = describe(np.ascontiguousarray(picture[..., ::-1]), people, frame.size_px)
        frames.append(replace(frame, appearance=colours))
    return replace(take, film=replace(take.film, frames=frames))


def _view(path: CameraPath | None, place: int) -> Float64Array:
    shift = np.eye(3)
    shift[:2, 2] = -OUTSIDE_PX
    return shift if path is None else np.asarray(path.matrices[place] @ shift)


@lru_cache(maxsize=1)
def sensor_noise() -> list[npt.NDArray[np.int16]]:
    """Independent fields of noise (1300, 2100), grey levels around 0, into which any picture here fits.

    Neighbouring frames take different ones: the same noise elsewhere would look like a motion to an estimator.
    """
    rng = np.random.default_rng(0)
    return [np.rint(NOISE * rng.standard_normal((1300, 2100), np.float32)).astype(np.int16) for _ in range(FIELDS)]


@lru_cache(maxsize=1)
def world_texture(size_px: tuple[int, int] = (2400, 1600)) -> BgrImage:
    """A wall of patches of several sizes (H, W, 3), u8 BGR: corners and edges at every scale."""
    rng = np.random.default_rng(0)
    canvas = np.full((size_px[1], size_px[0], 3), 128.0, np.float32)
    for grain_px, strength in GRAIN:
        shape = (size_px[1] // grain_px + 1, size_px[0] // grain_px + 1)
        coarse = rng.normal(0, strength, (*shape, 1)) + COLOUR * rng.normal(0, strength, (*shape, 3))
        flags = cv2.INTER_NEAREST if grain_px > GRAIN[2][0] else cv2.INTER_LINEAR
        canvas += cv2.resize(coarse.astype(np.float32), size_px, interpolation=flags)
    return np.clip(canvas, 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def figure(number: int, wardrobe: int) -> tuple[BgrImage, npt.NDArray[np.uint8]]:
    """A person's picture (H, W, 3) and its shape (H, W), u8 0 or 255: head, trunk and legs in clothes of their own."""
    rng = np.random.default_rng([wardrobe, number, 5])
    wide, high = FIGURE_PX
    shades = rng.normal(*LIGHTNESS, (3, 1)) + COLOURFULNESS * rng.normal(size=(3, 3))
    colours = np.repeat(MIDDLE_GREY * np.exp(shades), (high // 8, high * 3 // 8, high // 2), axis=0)
    folds = rng.normal(0, FOLDS, (high // 8, wide // 8, 1)).astype(np.float32)
    pattern = cv2.resize(folds, FIGURE_PX, interpolation=cv2.INTER_NEAREST)[..., None]
    shape = np.zeros((high, wide), np.uint8)
    cv2.ellipse(shape, (wide // 2, high // 14), (wide // 7, high // 14), 0, 0, 360, 255, -1)
    cv2.ellipse(shape, (wide // 2, high // 3), (wide // 3, high // 4), 0, 0, 360, 255, -1)
    for side in (-1, 1):
        cv2.line(shape, (wide // 2, high // 2), (wide // 2 + side * wide // 4, high - 1), 255, wide // 6)
    return np.clip(colours[:, None] + pattern, 0, 255).astype(np.uint8), shape


def _put(
    canvas: BgrImage, drawn: tuple[BgrImage, npt.NDArray[np.uint8]], box: tuple[float, float, float, float]
) -> None:
    left, top, right, bottom = (round(value) for value in box)
    size = (right - left, bottom - top)
    if min(size) < 2:
        return
    skin, shape = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in drawn)
    below = canvas[top:bottom, left:right]
    within = shape[: below.shape[0], : below.shape[1]] > 127
    below[within] = skin[: below.shape[0], : below.shape[1]][within]
