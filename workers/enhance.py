"""Dark pictures, brightened and denoised before the network sees them. Pure; the picture alone decides.

A network that was trained on daylight finds few people at a tenth of it. Multiplying brings the light back, and the
sensor's noise with it, so that is taken off first. Colours carry more of the noise and less of what tells people from
the ground than brightness does: they are smoothed over several pixels, brightness over one or two. Where the light is
that low, a sensor's noise is cut off at black, which lifts what is dark by a part of it: that is taken off, too.

The noise is estimated by J. Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 1996.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from workers.arrays import FloatArray, ImageArray

SAMPLE_STEP = 8
DARK_MEAN = 32.0
"""Levels of 255: pictures that are brighter on average are left alone."""
BRIGHT_LEVEL, BRIGHT_SHARE = 100.0, 0.1
"""Nor is a picture dark of which so much is bright: what is not may be a dark coat."""
WANTED_MEAN = 90.0
MOST_GAIN = 8.0
"""More brings out nothing but the steps between levels."""
LEAST_GAIN = 1.5
FULL_BLUR_NOISE = 20.0
"""Noise after the gain, in levels, from which on everything is smoothed as far as it ever is."""
LUMA_BLUR_PX = 1.5
CHROMA_CELL_PX = 4
"""Colours are averaged over cells of this side, and these smoothed a little, which costs a third of a wide blur."""
BLACK_SHARE = 0.4
"""Of the noise, by which black is lifted where it is cut off: the mean of max(0, x) of a normal x."""
NOISE_ROWS_PX = 240
"""Rows in the middle of the picture that the noise is estimated from."""

_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class Need:
    """What a dark picture needs: times `gain`, against noise of the standard deviation `noise` (levels of 255)."""

    mean: float
    noise: float
    gain: float

    def __str__(self) -> str:
        """For people."""
        return f"mean brightness {self.mean:.0f} of 255, noise {self.noise:.1f}: brightened {self.gain:.1f} times"


def assess(image_rgb: ImageArray) -> Need | None:
    """What the picture u8 (H, W, 3) needs; None for one that is bright enough, told by a few thousand pixels."""
    sample = image_rgb[SAMPLE_STEP // 2 :: SAMPLE_STEP, SAMPLE_STEP // 2 :: SAMPLE_STEP, 1]
    if not sample.size:
        return None
    mean = float(sample.mean())
    if mean >= DARK_MEAN or float(np.mean(sample > BRIGHT_LEVEL)) >= BRIGHT_SHARE:
        return None
    gain = min(MOST_GAIN, WANTED_MEAN / max(mean, 1.0))
    return Need(mean, noise_of(image_rgb), gain) if gain >= LEAST_GAIN else None


def noise_of(image_rgb: ImageArray) -> float:
    """Standard deviation of the noise in levels, of the green in the middle of the picture."""
    top = max(0, (image_rgb.shape[0] - NOISE_ROWS_PX) // 2)
    green = np.ascontiguousarray(image_rgb[top : top + NOISE_ROWS_PX, :, 1]).astype(np.float32)
    if min(green.shape) < 3:
        return 0.0
    residue: Any = cv2.filter2D(green, cv2.CV_32F, _NOISE_MASK)[1:-1, 1:-1]
    return float(np.abs(residue).mean() * math.sqrt(math.pi / 2.0) / 6.0)


def enhanced(image_rgb: ImageArray, need: Need) -> ImageArray:
    """The picture with the light and without the noise, as a new array u8 (H, W, 3)."""
    strength = min(1.0, need.noise * need.gain / FULL_BLUR_NOISE)
    black = BLACK_SHARE * need.noise
    # In floating point: of so few levels none is to be lost to rounding before they are multiplied.
    ycc: Any = cv2.cvtColor(image_rgb.astype(np.float32), cv2.COLOR_RGB2YCrCb)
    luma, red, blue = cv2.split(ycc)
    if strength > 0.0:
        luma = _blurred(luma, LUMA_BLUR_PX * strength)
        red, blue = (_coarse(plane, strength) for plane in (red, blue))
    # The planes of colour differences are 0.5 where there is no colour.
    planes = [(luma - black) * need.gain, *((plane - 0.5) * need.gain + 0.5 for plane in (red, blue))]
    rgb: Any = cv2.cvtColor(cv2.merge(planes), cv2.COLOR_YCrCb2RGB)
    return np.asarray(cv2.convertScaleAbs(np.maximum(rgb, 0.0)), np.uint8)


def _blurred(plane: FloatArray, sigma_px: float) -> FloatArray:
    blurred: Any = cv2.GaussianBlur(plane, (0, 0), sigma_px) if sigma_px > 0.1 else plane
    return np.asarray(blurred, np.float32)


def _coarse(plane: FloatArray, strength: float) -> FloatArray:
    height, width = plane.shape
    cells_px = max(1, width // CHROMA_CELL_PX), max(1, height // CHROMA_CELL_PX)
    small = _blurred(np.asarray(cv2.resize(plane, cells_px, interpolation=cv2.INTER_AREA), np.float32), strength)
    wide: Any = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(plane + np.float32(strength) * (wide - plane), np.float32)
