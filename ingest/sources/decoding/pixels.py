"""The pixels of a picture, as rows of BGR or as the decoder's planes; the encoder takes the form that costs least."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import cv2
import numpy as np

from ingest.sources.decoding.reducing import halved_rows, reduce_rows
from posebus.arrays import UInt8Array
from posebus.square_pixels import MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE_PX, SQUARE

MAX_PIXELS, MAX_SIDE_PX = MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE_PX
"""Pictures above this are refused before decoding: a few bytes of header could otherwise ask for all the memory."""
SAMPLES_A_SIDE = 3
"""A pixel of the small grey picture averages at least this many source pixels a side, if the source has as many."""

BgrImage = UInt8Array
"""(H, W, 3) uint8, C-contiguous, blue first."""


@dataclass(frozen=True, slots=True)
class Planes:
    """Brightness `y` (H, W) and colour differences `u`, `v` (ceil(H / 2), ceil(W / 2)), uint8, C-contiguous.

    The colours are those of JPEG: full range (black is 0, white 255), matrix of BT.601. The planes are read-only by
    convention: the decoder may still predict the next picture from these bytes.
    """

    y: UInt8Array
    u: UInt8Array
    v: UInt8Array


class Image(Protocol):
    """One picture in the form in which it arrived. Each call converts it again; results are not kept."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the upright picture, in pixels of the source."""

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of one pixel of the upright picture divided by its height; 1 for square pixels."""

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """Return its rows of BGR, resampled to `size_px`. Raises BadPicture."""

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """Return its planes, resampled to `size_px`; None if rows of BGR are cheaper to get."""

    def grey(self, size_px: tuple[int, int]) -> UInt8Array:
        """Return its brightness (H, W), averaged down to a small `size_px`. Raises BadPicture."""

    def jpeg(self) -> bytes | None:
        """Return the JPEG file as which it arrived, complete and upright; None for any other form."""


class RowsImage:
    """A picture that arrived as rows of BGR."""

    def __init__(self, image_bgr: BgrImage) -> None:
        self._image_bgr = image_bgr

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Image.size_px`."""
        height_px, width_px = self._image_bgr.shape[:2]
        return width_px, height_px

    @property
    def pixel_aspect(self) -> Fraction:
        """See `Image.pixel_aspect`."""
        return SQUARE

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """See `Image.bgr`; in full size it returns the rows themselves, without a copy."""
        return reduce_rows(self._image_bgr, size_px or self.size_px)

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """Return None: there are no planes to use."""
        return None

    def grey(self, size_px: tuple[int, int]) -> UInt8Array:
        """See `Image.grey`."""
        return grey_of(self._image_bgr, size_px)

    def jpeg(self) -> bytes | None:
        """Return None: the picture did not arrive as a JPEG file."""
        return None


def grey_of(image_bgr: BgrImage, size_px: tuple[int, int]) -> UInt8Array:
    """Return the brightness of rows of BGR, averaged down to `size_px`; large pictures are subsampled first."""
    halved = halved_rows(image_bgr, size_px)
    if halved is not None:
        return np.asarray(cv2.cvtColor(halved, cv2.COLOR_BGR2GRAY), np.uint8)
    height_px, width_px = image_bgr.shape[:2]
    step = max(1, min(width_px // size_px[0], height_px // size_px[1]) // SAMPLES_A_SIDE)
    grey: UInt8Array = cv2.cvtColor(np.ascontiguousarray(image_bgr[::step, ::step]), cv2.COLOR_BGR2GRAY)
    return reduce_rows(grey, size_px)
