"""One picture whose zones are filled with black when its pixels are asked for."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from ingest.sources.decoding.pixels import BgrImage, Image, Planes
from ingest.sources.masking.zones import Zones
from posebus.arrays import UInt8Array

BLACK, COLOURLESS = 0, 128
"""Of the planes of brightness and of colour."""


class MaskedImage:
    """A picture without what its zones show, in any form and size. Its rows and planes are always copies."""

    def __init__(self, image: Image, zones: Zones) -> None:
        self._image = image
        self._zones = zones

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Image.size_px`."""
        return self._image.size_px

    @property
    def pixel_aspect(self) -> Fraction:
        """See `Image.pixel_aspect`."""
        return self._image.pixel_aspect

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """See `Image.bgr`."""
        return self._masked(self._image.bgr(size_px), BLACK)

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """See `Image.planes`."""
        planes = self._image.planes(size_px)
        if planes is None:
            return None
        return Planes(
            self._masked(planes.y, BLACK), self._masked(planes.u, COLOURLESS), self._masked(planes.v, COLOURLESS)
        )

    def grey(self, size_px: tuple[int, int]) -> UInt8Array:
        """See `Image.grey`. With the zones: ingest estimates motion by it, and black areas would look like rest.

        It is never published.
        """
        return self._image.grey(size_px)

    def jpeg(self) -> bytes | None:
        """Return None: the file as which the picture arrived shows its zones."""
        return None

    def _masked(self, rows: UInt8Array, filling: int) -> UInt8Array:
        shown = self._zones.shown(self._image.size_px, (rows.shape[1], rows.shape[0]))
        masked: UInt8Array = np.full(rows.shape, filling, np.uint8)
        cv2.copyTo(rows, shown, masked)
        return masked
