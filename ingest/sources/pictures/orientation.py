"""Turning and mirroring a picture as the camera that took it says in its EXIF data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from ingest.sources.decoding.pixels import BgrImage

ORIENTATION = 0x0112
TRANSPOSED = frozenset({5, 6, 7, 8})
FLIPS: Mapping[object, int] = MappingProxyType({2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0})
"""How OpenCV flips what has been transposed where needed: 0 top to bottom, 1 left to right, -1 both."""


def upright(image_bgr: BgrImage, image: Any) -> BgrImage:
    """Return the rows of the loaded Pillow `image` as its EXIF or XMP data want them to be seen (EXIF 3.0, 4.6.5).

    Data that cannot be read say nothing.
    """
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:  # noqa: BLE001 - Pillow raises anything for damaged EXIF data, and the picture may be whole
        orientation = None
    return oriented(image_bgr, orientation)


def oriented(image_bgr: BgrImage, orientation: object) -> BgrImage:
    """Return `image_bgr` (H, W, 3) as a value of the EXIF tag Orientation says: 1 to 8, others change nothing."""
    seen: Any = image_bgr
    if orientation in TRANSPOSED:
        seen = cv2.transpose(seen)
    if orientation in FLIPS:
        seen = cv2.flip(seen, FLIPS[orientation])
    return np.asarray(seen, np.uint8)
