"""The light of a day in a corridor, and the noise of a camera in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

HOURS = (0.0, 5.0, 8.0, 12.0, 16.0, 19.0, 24.0)
DAYLIGHT = (0.16, 0.18, 0.75, 1.0, 0.8, 0.2, 0.16)
"""The brightness of daylight at these HOURS, as a part of noon's."""
WARMTH = (0.0, 0.05, 0.12, 0.0, 0.05, 0.15, 0.0)
"""How much redder daylight is than at noon."""
LAMP_ON_H, LAMP_OFF_H = 18.5, 6.5
LAMP = 0.45
"""The brightness in the middle below the lamp, as a part of noon's."""
LAMP_FLICKER = 0.012
"""Standard deviation from picture to picture, where the frequencies of mains and exposure interfere."""
CLOUDS = 0.06
CLOUD_PERIODS_H = (0.31, 0.83, 2.1)
NOISE_LEVELS = (2.0, 4.5)
"""Standard deviation of the sensor's noise at noon and in the dark."""
POOL = 7


@dataclass(frozen=True, slots=True)
class Light:
    """The light of one picture: gains of daylight for (blue, green, red), and the gain of the lamp at full strength."""

    day: tuple[float, float, float]
    lamp: float

    @property
    def darkness(self) -> float:
        """0 at noon, 1 without any light."""
        return float(np.clip(1.0 - self.day[1] - self.lamp, 0.0, 1.0))


def light_at(hour: float, rng: np.random.Generator) -> Light:
    """The light at an hour from 0 to 24; clouds pass slowly, the lamp flickers from picture to picture."""
    bright = float(np.interp(hour, HOURS, DAYLIGHT))
    clouds = sum(np.sin(2 * np.pi * hour / period + 1.7 * period) for period in CLOUD_PERIODS_H) / len(CLOUD_PERIODS_H)
    bright *= 1.0 + CLOUDS * float(clouds)
    warm = float(np.interp(hour, HOURS, WARMTH))
    is_on = hour >= LAMP_ON_H or hour < LAMP_OFF_H
    lamp = LAMP * (1.0 + LAMP_FLICKER * float(rng.standard_normal())) if is_on else 0.0
    return Light((bright * (1 - warm), bright, bright * (1 + warm)), lamp)


def lamp_field(size_px: tuple[int, int]) -> npt.NDArray[np.float32]:
    """The strength of the lamp, which is above the middle, in each pixel: (H, W, 1)."""
    width, height = size_px
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot((x - width / 2) / width, (y - 0.2 * height) / height)
    return np.asarray(np.exp(-((distance / 0.6) ** 2))[..., None], np.float32)


class SensorNoise:
    """Noise fields, drawn once and shifted at random for each picture.

    Drawing new ones for thousands of pictures would take an hour.
    """

    def __init__(self, size_px: tuple[int, int], rng: np.random.Generator) -> None:
        width, height = size_px
        self._rng = rng
        grey = rng.standard_normal((POOL, height, width, 1), np.float32)
        self._pool = 0.8 * grey + 0.6 * rng.standard_normal((POOL, height, width, 3), np.float32)

    def next(self, darkness: float) -> npt.NDArray[np.float32]:
        """The noise (H, W, 3) of the next picture in grey levels."""
        field = self._pool[int(self._rng.integers(POOL))]
        shift = (int(self._rng.integers(field.shape[0])), int(self._rng.integers(field.shape[1])))
        low, high = NOISE_LEVELS
        rolled: npt.NDArray[np.float32] = np.roll(field, shift, (0, 1)) * np.float32(low + (high - low) * darkness)
        return rolled


def lit(picture: npt.NDArray[Any], light: Light, lamp: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """`picture` (H, W, 3) in `light`; `lamp` is a `lamp_field`."""
    gain = np.array(light.day, np.float32) + np.float32(light.lamp) * lamp
    return picture.astype(np.float32) * gain
