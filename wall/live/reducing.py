"""One picture for a browser: reduced to about the size of its tile, heads blurred, as JPEG. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import simplejpeg

from posebus.arrays import Float32Array, UInt8Array
from posebus.messages import Frame, TrackFrame
from posebus.privacy.blurring import blur_heads
from posebus.privacy.regions import frame_regions, scaled
from posebus.square_pixels import MAX_PICTURE_PIXELS

FACTORS = (1, 2, 4, 8)
"""How many times smaller than the published picture: what JPEG decodes for less than the whole costs."""
LEAST_SHARE = 0.75
"""Of the wanted width: a picture may be enlarged on the screen by a third before anybody sees it."""
QUALITY = 80
MAX_JPEG_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A JPEG file of `size_px` (width, height). blurred: whether heads in it were, or would have been with people."""

    jpeg: bytes
    size_px: tuple[int, int]
    blurred: bool


def factor_for(width_px: int, wanted_px: int) -> int:
    """Return which of FACTORS a picture of `width_px` is reduced by for a tile that is `wanted_px` wide."""
    return max(factor for factor in FACTORS if factor == 1 or width_px / factor >= LEAST_SHARE * wanted_px)


def small_picture(picture: Frame, tracks: TrackFrame, factor: int, *, blur: bool) -> SmallPicture | None:
    """Return `picture` reduced by `factor`, with the heads of its own frame's `tracks` blurred if `blur`.

    None if it cannot be decoded: what cannot be blurred is not shown. A JPEG that needs no change is passed on.
    """
    heads = frame_regions(tracks) if blur else np.zeros((0, 4), np.float32)
    return _small(picture, heads, factor, blur=blur)


def picture_without_heads(picture: Frame, heads: Float32Array) -> bytes | None:
    """Return the JPEG file of a picture with the regions `heads` (M, 4) blurred, in source pixels; None as above."""
    small = _small(picture, heads, 1, blur=True)
    return None if small is None else small.jpeg


def _small(picture: Frame, heads: Float32Array, factor: int, *, blur: bool) -> SmallPicture | None:
    if picture.encoding == "jpeg" and factor == 1 and not len(heads):
        fits = picture.data.startswith(b"\xff\xd8") and len(picture.data) <= MAX_JPEG_BYTES
        return SmallPicture(picture.data, picture.image_size_px, blur) if fits else None
    image_bgr = _decoded(picture, factor)
    if image_bgr is None:
        return None
    size_px = image_bgr.shape[1], image_bgr.shape[0]
    if len(heads):
        blur_heads(image_bgr, scaled(heads, picture.size_px, size_px))
    jpeg = simplejpeg.encode_jpeg(image_bgr, quality=QUALITY, colorspace="BGR", colorsubsampling="420")
    return SmallPicture(bytes(jpeg), size_px, blur)


def _decoded(picture: Frame, factor: int) -> UInt8Array | None:
    """Return the rows (H, W, 3), BGR, reduced by `factor`; None for what is not the picture that its message says."""
    width_px, height_px = picture.image_size_px
    if width_px * height_px > MAX_PICTURE_PIXELS or len(picture.data) > 3 * MAX_PICTURE_PIXELS:
        return None
    if picture.encoding == "raw":
        return _raw(picture.data, picture.image_size_px, factor)
    if picture.encoding != "jpeg" or len(picture.data) > MAX_JPEG_BYTES:
        return None
    try:
        if simplejpeg.decode_jpeg_header(picture.data)[:2] != (height_px, width_px):
            return None
        least_px = {"min_width": -(-width_px // factor), "min_height": -(-height_px // factor)}
        rows: Any = simplejpeg.decode_jpeg(picture.data, "BGR", fastdct=True, fastupsample=True, **least_px)
    except ValueError:
        return None
    return np.asarray(rows, np.uint8)


def _raw(data: bytes, size_px: tuple[int, int], factor: int) -> UInt8Array | None:
    width_px, height_px = size_px
    if len(data) != 3 * width_px * height_px:
        return None
    rows = np.frombuffer(data, np.uint8).reshape(height_px, width_px, 3)
    if factor == 1:
        return rows.copy()
    smaller_px = max(1, -(-width_px // factor)), max(1, -(-height_px // factor))
    return np.asarray(cv2.resize(rows, smaller_px, interpolation=cv2.INTER_AREA), np.uint8)
