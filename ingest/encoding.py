"""Pictures as they travel through the broker: JPEG by default, raw BGR rows where no loss is wanted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg

from ingest.sources.base import BgrImage
from posebus.errors import BadPicture
from posebus.settings import CameraSettings

MAX_JPEG_SIDE_PX = 65500


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """`data` in `encoding` ("jpeg" or "raw"); `image_size_px` is (width, height) after any downscale."""

    data: bytes
    image_size_px: tuple[int, int]
    encoding: str


def encode(image_bgr: BgrImage, settings: CameraSettings) -> EncodedImage:
    """`image_bgr` (H, W, 3) uint8 reduced to `settings.max_size_px` and encoded as `settings.encoding` says.

    Raises BadPicture if a side is longer than JPEG allows.
    """
    image = downscale(image_bgr, settings.max_size_px)
    height, width = image.shape[:2]
    if settings.encoding == "raw":
        return EncodedImage(image.tobytes(), (width, height), "raw")
    if max(height, width) > MAX_JPEG_SIDE_PX:
        raise BadPicture(
            f"a picture of {width}x{height} is too long for JPEG; set max_size_px to {MAX_JPEG_SIDE_PX} or less"
        )
    data = simplejpeg.encode_jpeg(image, quality=settings.jpeg_quality, colorspace="BGR", colorsubsampling="420")
    return EncodedImage(data, (width, height), "jpeg")


def downscale(image_bgr: BgrImage, max_size_px: int | None) -> BgrImage:
    """`image_bgr` with its longer side reduced to `max_size_px`, its shape kept; never enlarged, C-contiguous."""
    height, width = image_bgr.shape[:2]
    if max_size_px is None or max(height, width) <= max_size_px:
        return np.ascontiguousarray(image_bgr)
    scale = max_size_px / max(height, width)
    size_px = (max(1, round(width * scale)), max(1, round(height * scale)))
    reduced: BgrImage = cv2.resize(image_bgr, size_px, interpolation=cv2.INTER_AREA)
    return reduced
