"""Bad pictures, mended before the network sees them: dark, hazy, noisy, blocky. Pure; the picture alone decides.

A network that was trained on daylight finds few people at a tenth of it, and a third fewer behind the blocks of strong
compression. Multiplying brings the light back, and the sensor's noise with it, so that is taken off first. Colours
carry more of the noise and less of what tells people from the ground than brightness does: they are smoothed over
several pixels, brightness over one or two. Where the light is low, a sensor's noise is cut off at black, which lifts
what is dark by a part of it: that is taken off, too, as is the light of fog, which lies over everything.
What each of it gains is measured by benchmarks/accuracy/robustness.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from posebus.arrays import Float32Array
from workers.detections import ImageArray
from workers.images.image_quality import Levels, blocks_of, levels_of, noise_of, strips_of

DARK_MEAN = 32.0
"""Levels of 255: pictures that are brighter on average are not dark."""
BRIGHT_SHARE = 0.1
"""Nor is a picture dark of which so much is bright: what is not may be a dark coat."""
WANTED_MEAN = 90.0
MOST_GAIN = 8.0
"""More brings out nothing but the steps between levels."""
HAZY_SPAN = 110.0
"""Nearly all of a hazy picture lies within so many levels; that of a clear one within 200."""
NOISY = 12.0
"""Noise of a bright picture in levels, from which on it is smoothed: fine texture looks like less."""
BLOCKY = 2.0
"""Blocks (`workers.images.image_quality.blocks_of`) from which on a picture is smoothed, ..."""
ALL_BLOCKS = 3.0
"""... and from which on as far as any."""
FULL_BLUR_NOISE = 20.0
"""Noise after the gain, in levels, from which on everything is smoothed as far as it ever is."""
LUMA_BLUR_PX = 1.5
CHROMA_CELL_PX = 4
"""Colours are averaged over cells of this side, and these smoothed a little, which costs a third of a wide blur."""
BLACK_SHARE = 0.4
"""Of the noise, by which black is lifted where it is cut off: the mean of max(0, x) of a normal x."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a picture needs: its levels (of 255) less `black`, times `gain`, after smoothing by `strength` (0 to 1);
    `why` says so in words."""

    black: float
    gain: float
    strength: float
    why: str

    def __str__(self) -> str:
        """For people."""
        return self.why


def assess(image_rgb: ImageArray) -> Need | None:
    """What the picture u8 (H, W, 3) needs; None for one that is good enough, as nearly all are."""
    levels = levels_of(image_rgb)
    if levels is None:
        return None
    strips = strips_of(image_rgb)
    noise = noise_of(strips)
    if levels.mean < DARK_MEAN and levels.bright < BRIGHT_SHARE:
        gain = min(MOST_GAIN, WANTED_MEAN / max(levels.mean, 1.0))
        why = f"mean brightness {levels.mean:.0f} of 255, noise {noise:.1f}: brightened {gain:.1f} times"
        return Need(BLACK_SHARE * noise, gain, min(1.0, noise * gain / FULL_BLUR_NOISE), why)
    gain = _contrast(levels)
    if gain > 1.0:
        why = f"haze, all between {levels.low:.0f} and {levels.high:.0f} of 255: contrast raised {gain:.1f} times"
        return Need(levels.low, gain, min(1.0, noise * gain / FULL_BLUR_NOISE), why)
    if noise >= NOISY:
        return Need(0.0, 1.0, min(1.0, noise / FULL_BLUR_NOISE), f"noise {noise:.1f}: smoothed")
    blocks = blocks_of(strips)
    if blocks >= BLOCKY:
        return Need(
            0.0,
            1.0,
            min(1.0, (blocks - 1.0) / (ALL_BLOCKS - 1.0)),
            f"blocks of strong compression, {blocks:.1f}: smoothed",
        )
    return None


def _contrast(levels: Levels) -> float:
    span = levels.high - levels.low
    return min(MOST_GAIN, 255.0 / max(span, 1.0)) if span < HAZY_SPAN else 1.0


def enhanced(image_rgb: ImageArray, need: Need) -> ImageArray:
    """The picture as it should be, a new array u8 (H, W, 3)."""
    # In floating point: of few levels none is to be lost to rounding before they are multiplied.
    ycc: Any = cv2.cvtColor(image_rgb.astype(np.float32), cv2.COLOR_RGB2YCrCb)
    luma, red, blue = cv2.split(ycc)
    if need.strength > 0.0:
        luma = _blurred(luma, LUMA_BLUR_PX * need.strength)
        red, blue = (_coarse(plane, need.strength) for plane in (red, blue))
    # The planes of colour differences are 0.5 where there is no colour.
    planes = [(luma - need.black) * need.gain, *((plane - 0.5) * need.gain + 0.5 for plane in (red, blue))]
    rgb: Any = cv2.cvtColor(cv2.merge(planes), cv2.COLOR_YCrCb2RGB)
    return np.asarray(cv2.convertScaleAbs(np.maximum(rgb, 0.0)), np.uint8)


def _blurred(plane: Float32Array, sigma_px: float) -> Float32Array:
    blurred: Any = cv2.GaussianBlur(plane, (0, 0), sigma_px) if sigma_px > 0.1 else plane
    return np.asarray(blurred, np.float32)


def _coarse(plane: Float32Array, strength: float) -> Float32Array:
    height, width = plane.shape
    cells_px = max(1, width // CHROMA_CELL_PX), max(1, height // CHROMA_CELL_PX)
    small = _blurred(np.asarray(cv2.resize(plane, cells_px, interpolation=cv2.INTER_AREA), np.float32), strength)
    wide: Any = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(plane + np.float32(strength) * (wide - plane), np.float32)
