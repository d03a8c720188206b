"""Encode pictures for publishing: as JPEG by default, as raw BGR rows without loss, or in shared memory."""

from __future__ import annotations

from dataclasses import dataclass

import simplejpeg

from ingest.sources.decoding.pixels import Image
from ingest.sources.decoding.reducing import reduced_size_px
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture
from posebus.runtime.shared_frames import SharedFrames
from posebus.square_pixels import square_size_px

MAX_JPEG_SIDE_PX = 65500


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """`data` in `encoding` (see `posebus.messages.Frame`); `image_size_px` is (width, height) after reduction."""

    data: bytes
    image_size_px: tuple[int, int]
    encoding: str


def encode(image: Image, settings: CameraSettings, max_size_px: int | None = None) -> EncodedImage:
    """Return `image` in square pixels, reduced to `max_size_px` and encoded by `settings.encoding`.

    A picture that arrived as a JPEG file and need not be reduced keeps that file. Raises BadPicture if a side is longer
    than JPEG allows, and for pixels that cannot be converted.
    """
    size_px = reduced_size_px(square_size_px(image.size_px, image.pixel_aspect), max_size_px)
    if settings.encoding == "raw":
        return EncodedImage(image.bgr(size_px).tobytes(), size_px, "raw")
    if size_px == image.size_px and (data := image.jpeg()) is not None:
        return EncodedImage(data, size_px, "jpeg")
    width_px, height_px = size_px
    if max(size_px) > MAX_JPEG_SIDE_PX:
        raise BadPicture(
            f"a picture of {width_px}x{height_px} is too long for JPEG; set max_size_px to {MAX_JPEG_SIDE_PX} or less"
        )
    return EncodedImage(_jpeg(image, size_px, settings.jpeg_quality), size_px, "jpeg")


def share(image: Image, shared: SharedFrames, name: str, max_size_px: int | None = None) -> EncodedImage | None:
    """Put `image`, in square pixels and reduced to `max_size_px`, into shared memory as `name`.

    Returns None if there is no room for it. Raises BadPicture for pixels that cannot be converted.
    """
    size_px = reduced_size_px(square_size_px(image.size_px, image.pixel_aspect), max_size_px)
    try:
        shared.put(name, image.bgr(size_px).data.cast("B"))
    except OSError:
        return None
    return EncodedImage(name.encode(), size_px, "shared")


def _jpeg(image: Image, size_px: tuple[int, int], quality: int) -> bytes:
    planes = image.planes(size_px)
    if planes is not None:
        return bytes(simplejpeg.encode_jpeg_yuv_planes(planes.y, planes.u, planes.v, quality=quality))
    return bytes(simplejpeg.encode_jpeg(image.bgr(size_px), quality=quality, colorspace="BGR", colorsubsampling="420"))
