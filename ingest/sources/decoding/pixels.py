"""What a picture is made of: rows of BGR, or the decoder's planes. Whoever sends it takes the form that costs least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from ingest.sources.decoding.reducing import Rows, reduce_rows

SAMPLES_A_SIDE = 3
"""Of a pixel of the small grey picture, as many in each direction are averaged at least, where there are as many."""

BgrImage = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, C-contiguous, blue first."""


@dataclass(frozen=True, slots=True)
class Planes:
    """Brightness `y` (H, W) and colour differences `u`, `v` (ceil(H / 2), ceil(W / 2)), uint8, C-contiguous.

    The colours are those of JPEG: full range (black is 0, white 255), matrix of BT.601. Nobody may write to them: the
    decoder may still predict the next picture from these bytes.
    """

    y: Rows
    u: Rows
    v: Rows


class Image(Protocol):
    """One picture in whatever form it came. Conversions happen when they are asked for, each time anew."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height), upright."""

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """Its rows, averaged down to `size_px`; an array that may be written to. Raises BadPicture."""

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """Its planes, averaged down to `size_px`; None where making them would be a detour."""

    def grey(self, size_px: tuple[int, int]) -> Rows:
        """Its brightness (H, W), averaged down to a small `size_px`, as cheaply as it can be had. Raises BadPicture."""

    def jpeg(self) -> bytes | None:
        """The JPEG file that it came as, known to be whole and upright; None where it came otherwise."""


class RowsImage:
    """A picture that came as rows of BGR."""

    def __init__(self, image_bgr: BgrImage) -> None:
        self._image_bgr = image_bgr

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Image.size_px`."""
        height_px, width_px = self._image_bgr.shape[:2]
        return width_px, height_px

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """See `Image.bgr`; in full size the rows themselves, no copy."""
        return reduce_rows(self._image_bgr, size_px or self.size_px)

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """None."""
        return None

    def grey(self, size_px: tuple[int, int]) -> Rows:
        """See `Image.grey`."""
        return grey_of(self._image_bgr, size_px)

    def jpeg(self) -> bytes | None:
        """None."""
        return None


def grey_of(image_bgr: BgrImage, size_px: tuple[int, int]) -> Rows:
    """The brightness of rows of BGR, averaged down to `size_px`; of large pictures some of the pixels stand for all."""
    height_px, width_px = image_bgr.shape[:2]
    step = max(1, min(width_px // size_px[0], height_px // size_px[1]) // SAMPLES_A_SIDE)
    grey: Rows = cv2.cvtColor(np.ascontiguousarray(image_bgr[::step, ::step]), cv2.COLOR_BGR2GRAY)
    return reduce_rows(grey, size_px)
