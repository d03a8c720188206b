"""One picture, turned by a right angle when its pixels are asked for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from ingest.sources.decoding.pixels import BgrImage, Image, Planes
from posebus.arrays import UInt8Array

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
"""OpenCV's code by degrees clockwise."""


class TurnedImage:
    """A picture as it is seen after turning it. Sizes are reduced first, so that fewer pixels are turned."""

    def __init__(self, image: Image, degrees: int) -> None:
        """`degrees`: 90, 180 or 270, clockwise."""
        self._image = image
        self._code = TURNS[degrees]
        self._swaps_sides = degrees != 180

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Image.size_px`; that of the turned picture."""
        return self._swapped(self._image.size_px)

    @property
    def pixel_aspect(self) -> Fraction:
        """See `Image.pixel_aspect`."""
        aspect = self._image.pixel_aspect
        return 1 / aspect if self._swaps_sides else aspect

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """See `Image.bgr`."""
        return self._turned(self._image.bgr(self._swapped(size_px or self.size_px)))

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """See `Image.planes`. None for odd sides: their last colour would move from one half pixel to the other."""
        wanted_px = size_px or self.size_px
        if wanted_px[0] % 2 or wanted_px[1] % 2:
            return None
        planes = self._image.planes(self._swapped(wanted_px))
        return None if planes is None else Planes(*(self._turned(plane) for plane in (planes.y, planes.u, planes.v)))

    def grey(self, size_px: tuple[int, int]) -> UInt8Array:
        """See `Image.grey`."""
        return self._turned(self._image.grey(self._swapped(size_px)))

    def jpeg(self) -> bytes | None:
        """Return None: the file as which the picture arrived shows it as it was."""
        return None

    def _swapped(self, size_px: tuple[int, int]) -> tuple[int, int]:
        return size_px[::-1] if self._swaps_sides else size_px

    def _turned(self, rows: UInt8Array) -> UInt8Array:
        turned: Any = cv2.rotate(rows, self._code)
        return np.asarray(turned, np.uint8)
