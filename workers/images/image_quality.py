"""What is wrong with a picture, measured in a part of a millisecond: its levels, its noise, its blocks. Pure.

The noise is estimated by J. Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 1996.
Blocks are told by the steps across their borders beside those inside, as of H. R. Wu and M. Yuen, "A generalized
block-edge impairment metric for video coding", IEEE Signal Processing Letters 1997.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np

from posebus.arrays import Float32Array
from workers.detections import ImageArray

SAMPLE_STEP = 8
BLOCK_PX = 8
STRIPS, STRIP_PX = 3, (320, 16)
"""Noise and blocks are measured in strips of so many columns and rows, below each other in the middle."""
BRIGHT_LEVEL = 100
LEAST_STEP = 0.25
"""Levels; smoother pictures, such as of a wall, have no blocks that matter."""
SHADOW_SHARE, GLARE_SHARE = 0.01, 0.99
"""Levels between which a picture lies, but for what is darkest and brightest."""

_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


class Levels(NamedTuple):
    """Of the green, in levels of 255: its mean, and between what nearly all of it lies; bright: the part that is above
    BRIGHT_LEVEL."""

    mean: float
    low: float
    high: float
    bright: float


def levels_of(image_rgb: ImageArray) -> Levels | None:
    """Told by a few thousand pixels of the picture u8 (H, W, 3); None where it is too small for that."""
    sample = image_rgb[SAMPLE_STEP // 2 :: SAMPLE_STEP, SAMPLE_STEP // 2 :: SAMPLE_STEP, 1]
    if not sample.size:
        return None
    counts = np.bincount(sample.ravel(), minlength=256)
    below = np.cumsum(counts) / sample.size
    low, high = np.searchsorted(below, (SHADOW_SHARE, GLARE_SHARE))
    return Levels(
        float(counts @ np.arange(256)) / sample.size, float(low), float(high), 1.0 - float(below[BRIGHT_LEVEL])
    )


def strips_of(image_rgb: ImageArray) -> list[Float32Array]:
    """Parts of the green of the picture u8 (H, W, 3), float32; each begins with a block of compression."""
    height, width, _ = image_rgb.shape
    columns, rows = STRIP_PX
    left = max(0, width - columns) // 2 // BLOCK_PX * BLOCK_PX
    tops = [0]
    if height > STRIPS * rows:
        tops = [round((height - rows) * (place + 1) / (STRIPS + 1)) for place in range(STRIPS)]
    return [image_rgb[top : top + rows, left : left + columns, 1].astype(np.float32) for top in tops]


def noise_of(strips: list[Float32Array]) -> float:
    """Standard deviation of the noise in levels."""
    residues = []
    for strip in strips:
        if min(strip.shape) >= 3:
            residue: Any = cv2.filter2D(strip, cv2.CV_32F, _NOISE_MASK)[1:-1, 1:-1]
            residues.append(float(np.abs(residue).mean()))
    return sum(residues) / len(residues) * math.sqrt(math.pi / 2.0) / 6.0 if residues else 0.0


def blocks_of(strips: list[Float32Array]) -> float:
    """How many times as large steps are between columns of two blocks as between those inside one: 1 where there are
    none, 1.2 in a JPEG of quality 90, 2 in one of 20, 3 in one of 8."""
    steps = np.concatenate([np.abs(strip[:, 1:] - strip[:, :-1]) for strip in strips])
    if steps.shape[1] < 2 * BLOCK_PX:
        return 1.0
    by_column = steps.mean(axis=0)
    borders = np.arange(len(by_column)) % BLOCK_PX == BLOCK_PX - 1
    border, inside = float(by_column[borders].mean()), float(by_column[~borders].mean())
    return border / max(inside, LEAST_STEP) if border >= LEAST_STEP else 1.0
