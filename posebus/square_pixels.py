"""Pixels that are not square: their aspect ratio, and the size of such a picture in square pixels. Pure."""

from __future__ import annotations

import math
from fractions import Fraction

SQUARE = Fraction(1)
MOST_OBLONG = 10
"""Pixels more oblong than this are a mistake in a header."""
MAX_PICTURE_PIXELS = 50_000_000
"""Larger pictures are refused before a byte of them is decoded: 50 megapixels are 150 MB of rows."""
MAX_PICTURE_SIDE_PX = 65_500
"""The longest side of a picture: libjpeg, with which pictures are sent, takes no longer one."""


def usable_aspect(aspect: Fraction | None) -> Fraction:
    """Return the pixel aspect ratio of a header; 1 if it is unknown or absurd."""
    return aspect if aspect is not None and is_plausible(aspect) else SQUARE


def is_plausible(aspect: Fraction) -> bool:
    """Return whether pixels may be `aspect` times as wide as high."""
    return aspect > 0 and max(aspect, 1 / aspect) <= MOST_OBLONG


def square_size_px(size_px: tuple[int, int], pixel_aspect: Fraction) -> tuple[int, int]:
    """Return the (width, height) of a picture of `size_px` in square pixels.

    The shorter sides of its pixels are enlarged, so that no detail is lost, unless the picture would be too large.
    """
    if pixel_aspect == SQUARE:
        return size_px
    width_px, height_px = Fraction(size_px[0]), Fraction(size_px[1])
    if pixel_aspect > 1:
        width_px *= pixel_aspect
    else:
        height_px /= pixel_aspect
    scale = min(
        1.0,
        math.sqrt(MAX_PICTURE_PIXELS / float(width_px * height_px)),
        MAX_PICTURE_SIDE_PX / float(max(width_px, height_px)),
    )
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))
