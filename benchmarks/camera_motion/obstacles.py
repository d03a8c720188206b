"""What makes pictures worse: light, noise, compression, blur, darkness, and what is in front of the camera."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from posebus.arrays import UInt8Array

Damage = Callable[[UInt8Array, int], UInt8Array]
"""Changes the picture BGR (H, W, 3) of this number."""


def _exposure(picture: UInt8Array, index: int) -> UInt8Array:
    return _clipped(picture * (1 + 0.4 * math.sin(index)) + 10 * math.cos(0.7 * index))


def _noise(picture: UInt8Array, index: int) -> UInt8Array:
    return _clipped(picture + np.random.default_rng(index).normal(0, 20, picture.shape))


def _compression(picture: UInt8Array, index: int) -> UInt8Array:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 10])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _blur(picture: UInt8Array, index: int) -> UInt8Array:
    return np.asarray(cv2.blur(picture, (1 + 10 * (index % 3), 1)), np.uint8)


def _dark(picture: UInt8Array, index: int) -> UInt8Array:
    return _clipped(picture * 0.15 + np.random.default_rng(index).normal(2, 4, picture.shape))


def _blank(picture: UInt8Array, index: int) -> UInt8Array:
    return np.full_like(picture, {3: 0, 4: 0, 6: 255}[index % 8]) if index % 8 in (3, 4, 6) else picture


def _clock(picture: UInt8Array, index: int) -> UInt8Array:
    """Two lines of text that the camera writes into its picture."""
    written = picture.copy()
    for line, (left, top) in ((f"2026-11-30 12:00:{index:02d}", (30, 50)), ("CAMERA 07 YARD", (900, 690))):
        cv2.putText(written, line, (left, top), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 6)
        cv2.putText(written, line, (left, top), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 2)
    return written


def passing(truck: UInt8Array, share: float) -> Damage:
    """A truck, painted like `truck`, comes from the left until it hides `share` of the view, stops, and goes back."""

    def damage(picture: UInt8Array, index: int) -> UInt8Array:
        hidden = picture.copy()
        width = round(picture.shape[1] * share * min(1.0, max(0.0, (12 - abs(index - 14)) / 8)))
        if width:
            hidden[:, :width] = truck[: picture.shape[0], -width:]
        return hidden

    return damage


DAMAGES: dict[str, Damage] = {
    "changing exposure": _exposure,
    "noise of 20 levels": _noise,
    "JPEG of quality 10": _compression,
    "smeared by up to 20 px": _blur,
    "15 % of the light": _dark,
    "blank pictures between": _blank,
    "text in the picture": _clock,
}


def _clipped(picture: np.ndarray) -> UInt8Array:
    clipped: UInt8Array = np.clip(picture, 0, 255).astype(np.uint8)
    return clipped
