"""Which pixels of a picture lie in privacy zones, at the sizes and in the planes in which the picture is asked for."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from posebus.arrays import Float64Array, UInt8Array
from posebus.config.cameras.region import Region, is_in_fractions
from posebus.errors import SourceRejected

SIZES_KEPT = 8
"""Masks of so many sizes are kept: a picture is asked for in one or two, each with two sizes of planes."""
_SHIFT = 4
"""Fractional bits of the coordinates for OpenCV."""


class Zones:
    """The zones of one camera. Masks are kept by size, since all pictures of a source have few. Not thread-safe."""

    def __init__(self, region: Region) -> None:
        """`region`: polygons in pixels of the source's pictures, or in parts of width and height (see `Region`)."""
        self._polygons = [np.array(polygon, np.float64) for polygon in region]
        self._in_fractions = is_in_fractions(region)
        self._kept: dict[tuple[tuple[int, int], tuple[int, int]], UInt8Array] = {}

    def check(self, source_px: tuple[int, int]) -> None:
        """Raise SourceRejected if a zone lies outside of pictures of this (width, height): it would hide nothing."""
        for number, polygon in enumerate(self._polygons, start=1):
            if not self._in_fractions and (polygon.min(axis=0) >= source_px).any():
                width_px, height_px = source_px
                name = "the polygon" if len(self._polygons) == 1 else f"polygon {number}"
                raise SourceRejected(
                    f"{name} of privacy_zones lies outside of the picture, which has {width_px}x{height_px} pixels: "
                    "draw it inside, or give its points as parts of the picture, from 0 to 1"
                )

    def shown(self, source_px: tuple[int, int], size_px: tuple[int, int]) -> UInt8Array:
        """Return (height, width) flags, 255 where a picture shows something and 0 in zones.

        `source_px` is the size of the source's pictures in their own pixels, `size_px` that of the picture now. A
        margin around each zone is hidden as well, as wide as resampling can carry pixels of the zone out of it.
        """
        key = source_px, size_px
        mask = self._kept.get(key)
        if mask is None:
            if len(self._kept) >= SIZES_KEPT:
                self._kept.clear()
            mask = self._kept[key] = self._mask(source_px, size_px)
        return mask

    def _mask(self, source_px: tuple[int, int], size_px: tuple[int, int]) -> UInt8Array:
        scale = np.array(size_px, np.float64) / ((1, 1) if self._in_fractions else source_px)
        mask: UInt8Array = np.full(size_px[::-1], 255, np.uint8)
        for polygon in self._polygons:
            cv2.fillPoly(mask, [_fixed(polygon * scale)], 0, cv2.LINE_8, _SHIFT)
        margin_px = 1 + max(1, *(math.ceil(size_px[axis] / source_px[axis]) for axis in (0, 1)))
        reach = np.ones((2 * margin_px + 1, 2 * margin_px + 1), np.uint8)
        # Beyond its border, a picture counts as shown.
        return np.asarray(cv2.erode(mask, reach, borderType=cv2.BORDER_CONSTANT, borderValue=255), np.uint8)


def _fixed(points_px: Float64Array) -> Any:
    """Return OpenCV's integers for points, which it counts from the centre of the first pixel."""
    return np.round((points_px - 0.5) * 2**_SHIFT).astype(np.int32)
