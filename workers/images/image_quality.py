"""Measure the quality of a picture in a fraction of a millisecond: brightness levels, noise, compression blocks. Pure.

The noise is estimated by J. Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 1996.
Blocks are measured by the steps across their borders relative to those inside, as by H. R. Wu and M. Yuen, "A
generalized block-edge impairment metric for video coding", IEEE Signal Processing Letters 1997.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np

from posebus.arrays import Float32Array
from workers.detections import ImageArray

SAMPLE_STEP = 8
"""Levels are measured on every eighth pixel of every eighth row."""
BLOCK_PX = 8
STRIPS, STRIP_PX = 3, (320, 16)
"""Noise and blocks are measured in this many strips of (columns, rows), one below the other in the middle."""
BRIGHT_LEVEL = 100
LEAST_STEP = 0.25
"""Levels; smoother pictures, such as one of a wall, have no blocks that matter."""
SHADOW_SHARE, GLARE_SHARE = 0.01, 0.99
"""The quantiles that count as the darkest and the brightest level of a picture."""

_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


class Levels(NamedTuple):
    """Green-channel statistics (0-255): mean, 1st and 99th percentile.

    bright: the share of pixels above BRIGHT_LEVEL, 0 to 1.
    """

    mean: float
    low: float
    high: float
    bright: float


def levels_of(image_rgb: ImageArray) -> Levels | None:
    """Measure the levels on a few thousand pixels of the picture u8 (H, W, 3); None where it is too small for that."""
    sample = image_rgb[SAMPLE_STEP // 2 :: SAMPLE_STEP, SAMPLE_STEP // 2 :: SAMPLE_STEP, 1]
    if not sample.size:
        return None
    counts = np.bincount(sample.ravel(), minlength=256)
    below = np.cumsum(counts) / sample.size
    low, high = np.searchsorted(below, (SHADOW_SHARE, GLARE_SHARE))
    return Levels(
        mean=float(counts @ np.arange(256)) / sample.size,
        low=float(low),
        high=float(high),
        bright=1.0 - float(below[BRIGHT_LEVEL]),
    )


def strips_of(image_rgb: ImageArray) -> list[Float32Array]:
    """Return strips of the green channel of the picture u8 (H, W, 3), float32; each starts at a compression block."""
    height, width, _ = image_rgb.shape
    columns, rows = STRIP_PX
    left = max(0, width - columns) // 2 // BLOCK_PX * BLOCK_PX
    tops = [0]
    if height > STRIPS * rows:
        tops = [round((height - rows) * (place + 1) / (STRIPS + 1)) for place in range(STRIPS)]
    return [image_rgb[top : top + rows, left : left + columns, 1].astype(np.float32) for top in tops]


def noise_of(strips: list[Float32Array]) -> float:
    """Return the standard deviation of the noise in levels."""
    residues = []
    for strip in strips:
        if min(strip.shape) >= 3:
            residue: Any = cv2.filter2D(strip, cv2.CV_32F, _NOISE_MASK)[1:-1, 1:-1]
            residues.append(float(np.abs(residue).mean()))
    return sum(residues) / len(residues) * math.sqrt(math.pi / 2.0) / 6.0 if residues else 0.0


def blocks_of(strips: list[Float32Array]) -> float:
    """Return the ratio of the steps between columns at block borders to those inside blocks.

    1 where there are no blocks, 1.2 in a JPEG of quality 90, 2 in one of quality 20, 3 in one of quality 8.
    """
    steps = np.concatenate([np.abs(strip[:, 1:] - strip[:, :-1]) for strip in strips])
    if steps.shape[1] < 2 * BLOCK_PX:
        return 1.0
    by_column = steps.mean(axis=0)
    borders = np.arange(len(by_column)) % BLOCK_PX == BLOCK_PX - 1
    border, inside = float(by_column[borders].mean()), float(by_column[~borders].mean())
    return border / max(inside, LEAST_STEP) if border >= LEAST_STEP else 1.0
