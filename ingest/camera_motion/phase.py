"""The shift between two pictures of which nothing is known, by phase correlation. Pure.

After C. D. Kuglin and D. C. Hines, "The phase correlation image alignment method", IEEE Conference on Cybernetics and
Society 1975.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from posebus.arrays import Float64Array, UInt8Array

LEAST_SIDE_PX = 16


def shift_between(kept: UInt8Array, other: UInt8Array) -> Float64Array | None:
    """Return how far `kept` has moved in `other`, as a matrix (3, 3); None for tiny pictures."""
    height, width = kept.shape
    if min(height, width) < LEAST_SIDE_PX:
        return None
    half = width // 2, height // 2
    one, two = (_halved(picture, half) for picture in (kept, other))
    window: Any = cv2.createHanningWindow(half, cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(one, two, window)
    return np.array(((1, 0, 2 * dx), (0, 1, 2 * dy), (0, 0, 1)), np.float64)


def _halved(picture: UInt8Array, size_px: tuple[int, int]) -> Any:
    return cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA).astype(np.float32)
