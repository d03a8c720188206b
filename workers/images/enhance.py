"""Enhance degraded pictures before inference: dark, hazy, noisy and blocky ones. Pure; only the picture decides.

A network trained on daylight detects few people at a tenth of that light, and a third fewer behind the blocks of strong
compression. A gain restores the brightness but multiplies the sensor's noise, which is therefore smoothed first. Colour
carries more of the noise than brightness, and less of what separates people from the background: it is smoothed over
several pixels, brightness over one or two. In low light a sensor clips its noise at black, which raises dark levels by
part of the noise: that is subtracted, as is the light of fog, which lies over all levels.
benchmarks/accuracy/robustness.py measures what each step gains.
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
"""Pictures with a higher mean level (of 255) are not dark."""
BRIGHT_SHARE = 0.1
"""A picture of which this share is bright is not dark either: the rest may be a dark coat."""
WANTED_MEAN = 90.0
MOST_GAIN = 8.0
"""A higher gain shows nothing but the steps between levels."""
HAZY_SPAN = 110.0
"""1st to 99th percentile of a hazy picture, in levels; a clear one spans about 200."""
NOISY = 12.0
"""Noise in levels from which a bright picture is smoothed: less may be fine texture."""
BLOCKY = 2.0
"""Blocks (`workers.images.image_quality.blocks_of`) from which a picture is smoothed."""
ALL_BLOCKS = 3.0
"""Blocks from which a picture is smoothed at full strength."""
FULL_BLUR_NOISE = 20.0
"""Noise after the gain, in levels, from which a picture is smoothed at full strength."""
LUMA_BLUR_PX = 1.5
CHROMA_CELL_PX = 4
"""Colours are averaged over cells of this side and then smoothed a little: a third of the cost of a wide blur."""
BLACK_SHARE = 0.4
"""Clipping noise at black raises the level by this share of the noise: the mean of max(0, x) of a normal x."""


@dataclass(frozen=True, slots=True)
class Degradation:
    """How a picture is to be enhanced: smoothed by `strength` (0 to 1), less `black` (levels of 255), times `gain`.

    `why` describes the degradation and the remedy to people.
    """

    black: float
    gain: float
    strength: float
    why: str

    def __str__(self) -> str:
        return self.why


def assess(image_rgb: ImageArray) -> Degradation | None:
    """Return the degradation of the picture u8 (H, W, 3); None for a good one, as nearly all are."""
    levels = levels_of(image_rgb)
    if levels is None:
        return None
    strips = strips_of(image_rgb)
    noise = noise_of(strips)
    if levels.mean < DARK_MEAN and levels.bright < BRIGHT_SHARE:
        gain = min(MOST_GAIN, WANTED_MEAN / max(levels.mean, 1.0))
        return Degradation(
            black=BLACK_SHARE * noise,
            gain=gain,
            strength=min(1.0, noise * gain / FULL_BLUR_NOISE),
            why=f"mean brightness {levels.mean:.0f} of 255, noise {noise:.1f}: brightened {gain:.1f} times",
        )
    gain = _contrast(levels)
    if gain > 1.0:
        return Degradation(
            black=levels.low,
            gain=gain,
            strength=min(1.0, noise * gain / FULL_BLUR_NOISE),
            why=f"haze, levels from {levels.low:.0f} to {levels.high:.0f} of 255: contrast raised {gain:.1f} times",
        )
    if noise >= NOISY:
        strength = min(1.0, noise / FULL_BLUR_NOISE)
        return Degradation(black=0.0, gain=1.0, strength=strength, why=f"noise {noise:.1f}: smoothed")
    blocks = blocks_of(strips)
    if blocks >= BLOCKY:
        strength = min(1.0, (blocks - 1.0) / (ALL_BLOCKS - 1.0))
        why = f"blocks of strong compression, {blocks:.1f}: smoothed"
        return Degradation(black=0.0, gain=1.0, strength=strength, why=why)
    return None


def _contrast(levels: Levels) -> float:
    span = levels.high - levels.low
    return min(MOST_GAIN, 255.0 / max(span, 1.0)) if span < HAZY_SPAN else 1.0


def enhanced(image_rgb: ImageArray, degradation: Degradation) -> ImageArray:
    """Return the enhanced picture, a new array u8 (H, W, 3)."""
    # In floating point: rounding must not merge the few levels of a dark picture before the gain spreads them.
    ycc: Any = cv2.cvtColor(image_rgb.astype(np.float32), cv2.COLOR_RGB2YCrCb)
    luma, red, blue = cv2.split(ycc)
    if degradation.strength > 0.0:
        luma = _blurred(luma, LUMA_BLUR_PX * degradation.strength)
        red, blue = (_coarse(plane, degradation.strength) for plane in (red, blue))
    # The colour-difference planes are 0.5 where there is no colour.
    gain = degradation.gain
    planes = [(luma - degradation.black) * gain, *((plane - 0.5) * gain + 0.5 for plane in (red, blue))]
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
