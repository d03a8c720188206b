"""The effects of bad light, bad optics and bad links on a picture: pure, u8 RGB (H, W, 3), the same for the same
seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from posebus.arrays import Float32Array
from workers.detections import ImageArray

AIRLIGHT = 215.0
"""The grey level of fog alone."""


@dataclass(frozen=True, slots=True)
class Damage:
    """`apply(picture, random generator)` returns the damaged picture, turned by `turned_deg` counterclockwise."""

    name: str
    apply: Callable[[ImageArray, np.random.Generator], ImageArray]
    turned_deg: float = 0.0


def dark(light: float, noise: float) -> Damage:
    """The fraction `light` of the light, and sensor noise with the standard deviation `noise` in levels."""

    def apply(rgb: ImageArray, rng: np.random.Generator) -> ImageArray:
        return _levels(rgb * light + rng.normal(0.0, noise, rgb.shape))

    return Damage(f"{light:.0%} of the light, noise {noise:g}", apply)


def noisy(noise: float) -> Damage:
    """Daylight with a noisy sensor."""
    return Damage(f"noise {noise:g}", lambda rgb, rng: _levels(rgb + rng.normal(0.0, noise, rgb.shape)))


def defocused(sigma: float) -> Damage:
    """A picture out of focus; sigma is in thousandths of the longer side."""

    def apply(rgb: ImageArray, _: np.random.Generator) -> ImageArray:
        return _levels(cv2.GaussianBlur(rgb, (0, 0), sigma * max(rgb.shape[:2]) / 1000.0))

    return Damage(f"defocus, sigma {sigma:g} ‰ of the width", apply)


def shaken(length: float) -> Damage:
    """Horizontal motion blur; length is in thousandths of the longer side."""

    def apply(rgb: ImageArray, _: np.random.Generator) -> ImageArray:
        pixels = max(1, round(length * max(rgb.shape[:2]) / 1000.0))
        return _levels(cv2.filter2D(rgb, -1, np.full((1, pixels), 1.0 / pixels)))

    return Damage(f"motion blur, {length:g} ‰ of the width", apply)


def compressed(quality: int) -> Damage:
    """A JPEG of this quality."""

    def apply(rgb: ImageArray, _: np.random.Generator) -> ImageArray:
        packed = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.ascontiguousarray(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])

    return Damage(f"JPEG of quality {quality}", apply)


def foggy(clear: float) -> Damage:
    """Fog that transmits `clear` of the contrast at the bottom of the picture and a third of that at its top.

    By H. Koschmieder's law each pixel is a mean of the scene and the fog, weighted by the transmission at its distance.
    """

    def apply(rgb: ImageArray, rng: np.random.Generator) -> ImageArray:
        through = np.linspace(clear / 3.0, clear, len(rgb))[:, None, None]
        return _levels(rgb * through + AIRLIGHT * (1.0 - through) + rng.normal(0.0, 1.0, rgb.shape))

    return Damage(f"fog, {clear:.0%} of the contrast near, a third of that far", apply)


def backlit(light: float) -> Damage:
    """A bright upper half, as of windows, and an exposure that leaves the fraction `light` of the light before it."""

    def apply(rgb: ImageArray, rng: np.random.Generator) -> ImageArray:
        glare = 1.0 / (1.0 + np.exp((np.linspace(0.0, 1.0, len(rgb)) - 0.35) * 20.0))[:, None, None]
        return _levels(rgb * (light + 0.6 * glare) + 140.0 * glare + rng.normal(0.0, 2.0, rgb.shape))

    return Damage(f"backlight, {light:.0%} of the light before it", apply)


def turned(degrees: float) -> Damage:
    """A camera that is mounted askew; the picture grows so that no part is cut off."""

    def apply(rgb: ImageArray, _: np.random.Generator) -> ImageArray:
        matrix, size_px = turning(rgb.shape[1], rgb.shape[0], degrees)
        return np.asarray(cv2.warpAffine(rgb, matrix, size_px, flags=cv2.INTER_LINEAR), np.uint8)

    return Damage(f"turned by {degrees:g}°", apply, degrees)


def turning(width_px: int, height_px: int, degrees: float) -> tuple[Any, tuple[int, int]]:
    """The matrix (2, 3) that turns a picture of this size, and the (width, height) of the result."""
    turn, lean = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    size_px = round(width_px * turn + height_px * lean), round(width_px * lean + height_px * turn)
    matrix: Any = cv2.getRotationMatrix2D((width_px / 2.0, height_px / 2.0), degrees, 1.0)
    matrix[:, 2] += (size_px[0] - width_px) / 2.0, (size_px[1] - height_px) / 2.0
    return matrix, size_px


def turned_boxes(boxes_xyxy_px: Float32Array, matrix: Any) -> Float32Array:
    """Boxes (N, 4) of turned people, computed from the ellipses in the given boxes.

    The box around the turned corners would be far too large.
    """
    centres = (boxes_xyxy_px[:, :2] + boxes_xyxy_px[:, 2:]) / 2.0 @ matrix[:, :2].T + matrix[:, 2]
    halves = np.sqrt(((boxes_xyxy_px[:, 2:] - boxes_xyxy_px[:, :2]) / 2.0) ** 2 @ (matrix[:, :2] ** 2).T)
    return np.concatenate((centres - halves, centres + halves), axis=1).astype(np.float32)


CLEAN = Damage("as it is", lambda rgb, _: rgb)
DAMAGES = (
    CLEAN,
    dark(0.25, 3.0),
    dark(0.1, 5.0),
    dark(0.05, 4.0),
    noisy(15.0),
    noisy(30.0),
    defocused(3.0),
    defocused(6.0),
    shaken(20.0),
    compressed(20),
    compressed(8),
    foggy(0.5),
    foggy(0.25),
    backlit(0.3),
    backlit(0.12),
    turned(20.0),
    turned(90.0),
    turned(180.0),
)


def _levels(picture: Any) -> ImageArray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
