"""A picture between the broker and the network: its bytes, and its rows once they are decoded."""

from __future__ import annotations

import cv2
import numpy as np
import simplejpeg

from posebus.errors import BadPicture
from posebus.square_pixels import MAX_PICTURE_PIXELS
from workers.detections import ImageArray
from workers.images.enhance import Degradation

MAX_JPEG_EXTRA_BYTES = 1_000_000
"""Allowance for headers and comments. Without a bound, a file of endless scans would keep a core busy at the sender's
will."""

REDUCED_FROM = 2
"""JPEGs are decoded at reduced size where they are this many times as large as needed: below that it takes longer."""


class Picture:
    """A published picture, which is decoded once, on first use.

    `size_px` is the (width, height) that its message gives. `degradation` is what it was enhanced for, None where
    it enters the network as it is. Not thread-safe: one thread hands it to the next.
    """

    __slots__ = ("_rgb", "data", "degradation", "encoding", "size_px")

    def __init__(self, data: bytes | memoryview, encoding: str, size_px: tuple[int, int]) -> None:
        """The arguments are those of `decode_image`."""
        self.data = data
        self.encoding = encoding
        self.size_px = size_px
        self._rgb: ImageArray | None = None
        self.degradation: Degradation | None = None

    @classmethod
    def of(cls, image_rgb: ImageArray) -> Picture:
        """Return a picture whose rows are given: u8 (H, W, 3), C-contiguous."""
        picture = cls(b"", "rgb", (image_rgb.shape[1], image_rgb.shape[0]))
        picture._rgb = image_rgb
        return picture

    def changed(self, image_rgb: ImageArray) -> Picture:
        """Return the same picture with other rows, which have the size that its own were decoded to."""
        picture = Picture(b"", "rgb", self.size_px)
        picture._rgb = image_rgb
        return picture

    def rgb(self, needed_px: tuple[int, int] | None = None) -> ImageArray:
        """Return the rows, u8 (H, W, 3), C-contiguous, of at least `needed_px` (width, height) where it has them.

        Later calls return the rows that the first call decoded. Raises BadPicture.
        """
        if self._rgb is None:
            self._rgb = decode_image(self.data, self.encoding, self.size_px, needed_px)
        return self._rgb

    def full_rgb(self) -> ImageArray:
        """Return the rows at full size, u8 (H, W, 3): decoded again, and not kept, where `rgb` decoded fewer.

        Raises BadPicture.
        """
        rows = self.rgb()
        if (rows.shape[1], rows.shape[0]) == self.size_px:
            return rows
        return decode_image(self.data, self.encoding, self.size_px)


def decode_image(
    data: bytes | memoryview,
    encoding: str,
    image_size_px: tuple[int, int],
    needed_px: tuple[int, int] | None = None,
) -> ImageArray:
    """Return a published picture as RGB rows: u8 (H, W, 3), C-contiguous.

    `encoding` is `jpeg`, or `raw` for BGR rows; `image_size_px` is the (width, height) that the frame's message gives.
    A JPEG more than twice as large as `needed_px` is decoded at reduced size, though never below `needed_px`: leaving
    out the high frequencies takes half the time and causes no aliasing. Raises BadPicture for damaged data and, before
    decoding, for a size that is over the limit or differs from the message.
    """
    _check_size(image_size_px)
    if encoding == "jpeg":
        return _decode_jpeg(data, image_size_px, needed_px or image_size_px)
    if encoding == "raw":
        return _decode_raw(data, *image_size_px)
    raise BadPicture(f"a picture has the unknown encoding {encoding!r}: use jpeg or raw")


def _check_jpeg(data: bytes | memoryview, image_size_px: tuple[int, int]) -> None:
    """Raise BadPicture where the size in the header differs from the message, or is over the limit."""
    _check_size(image_size_px)
    if len(data) > 3 * image_size_px[0] * image_size_px[1] + MAX_JPEG_EXTRA_BYTES:
        raise BadPicture(f"a JPEG of {len(data)} bytes is larger than its decoded rows would be: the frame is left out")
    try:
        found_height_px, found_width_px, _, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError as error:
        raise _undecodable(data, error) from error
    if (found_width_px, found_height_px) != image_size_px:
        raise BadPicture(
            f"a JPEG is {found_width_px}x{found_height_px} but its message says {image_size_px[0]}x"
            f"{image_size_px[1]}: the sender must describe the picture that it sends"
        )


def _check_size(image_size_px: tuple[int, int]) -> None:
    width_px, height_px = image_size_px
    if width_px < 1 or height_px < 1 or width_px * height_px > MAX_PICTURE_PIXELS:
        raise BadPicture(
            f"a picture of {width_px}x{height_px} is outside the limit of {MAX_PICTURE_PIXELS // 10**6} megapixels: "
            "let ingest reduce it with max_size_px"
        )


def _decode_jpeg(data: bytes | memoryview, image_size_px: tuple[int, int], needed_px: tuple[int, int]) -> ImageArray:
    _check_jpeg(data, image_size_px)
    try:
        rgb: ImageArray = simplejpeg.decode_jpeg(
            data, "RGB", min_width=needed_px[0], min_height=needed_px[1], min_factor=REDUCED_FROM
        )
    except ValueError as error:
        raise _undecodable(data, error) from error
    return rgb


def _undecodable(data: bytes | memoryview, error: Exception) -> BadPicture:
    return BadPicture(f"a JPEG of {len(data)} bytes does not decode ({error}): the frame is left out")


def _decode_raw(data: bytes | memoryview, width_px: int, height_px: int) -> ImageArray:
    if len(data) != width_px * height_px * 3:
        raise BadPicture(
            f"a raw picture has {len(data)} bytes but {width_px}x{height_px} needs {width_px * height_px * 3}: "
            "the sender must send BGR rows without gaps"
        )
    bgr = np.frombuffer(data, np.uint8).reshape(height_px, width_px, 3)
    rgb: ImageArray = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return rgb
