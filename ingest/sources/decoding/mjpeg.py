"""MJPEG packets are JPEG files already and are published as they arrive, undecoded, if every JPEG reader accepts them.

Not every packet is such a file. Some cameras leave the Huffman tables out, interlaced ones put two pictures into one
packet, and a packet that lost its end is no picture at all. Packets that may be of this kind go through the decoder.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import simplejpeg

from ingest.sources.decoding.geometry import orientation_of
from ingest.sources.decoding.pixels import BgrImage, Planes
from ingest.sources.decoding.reducing import reduce_rows
from posebus.arrays import UInt8Array
from posebus.errors import BadPicture
from posebus.square_pixels import SQUARE

START_OF_IMAGE = b"\xff\xd8"
START_OF_SCAN = b"\xff\xda"
END_OF_IMAGE = b"\xff\xd9"
HUFFMAN_TABLES = b"\xff\xc4"
JPEG_FORMATS = ("yuvj", "gray")
"""Prefixes of the FFmpeg pixel formats to which JPEG files of the usual colours decode."""


MAX_REFUSALS = 5
"""After this many pictures that only FFmpeg could read, every packet of the stream is decoded."""


class JpegImage:
    """A picture that arrived as the JPEG file `data`; it is decoded only if its pixels are needed."""

    def __init__(self, data: bytes, size_px: tuple[int, int], pixel_aspect: Fraction = SQUARE) -> None:
        self._data = data
        self._size_px = size_px
        self.pixel_aspect = pixel_aspect

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Image.size_px`."""
        return self._size_px

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """See `Image.bgr`. The decoder does most of the reduction, which makes decoding cheaper."""
        width_px, height_px = size_px or self._size_px
        try:
            rows: BgrImage = simplejpeg.decode_jpeg(self._data, "BGR", min_height=height_px, min_width=width_px)
        except ValueError as error:
            raise BadPicture(f"a JPEG of {len(self._data)} bytes from the camera does not decode ({error})") from error
        return reduce_rows(rows, (width_px, height_px))

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """Return None: planes would have to be decoded first."""
        return None

    def grey(self, size_px: tuple[int, int]) -> UInt8Array:
        """See `Image.grey`; the decoder reduces to as little as an eighth if that is enough."""
        try:
            grey: BgrImage = simplejpeg.decode_jpeg(self._data, "GRAY", min_height=size_px[1], min_width=size_px[0])
        except ValueError as error:
            raise BadPicture(f"a JPEG of {len(self._data)} bytes from the camera does not decode ({error})") from error
        return reduce_rows(grey[..., 0], size_px)

    def jpeg(self) -> bytes | None:
        """Return the file itself."""
        return self._data


class JpegPackets:
    """Decides which packets of one MJPEG stream are published undecoded.

    The first picture is decoded twice, by FFmpeg and as workers do it. It establishes size, colours and orientation for
    later packets with the same header. The first packet after a change of size is checked again.
    """

    def __init__(self) -> None:
        self._proven_size_px: tuple[int, int] | None = None
        self._refusals = 0

    def image(self, packet: Any, pixel_aspect: Fraction = SQUARE) -> JpegImage | None:
        """Return the picture in `packet`, undecoded; None if the packet has to be decoded."""
        if self._proven_size_px is None or packet.is_corrupt:
            return None
        data = bytes(packet)
        if whole_jpeg_size_px(data) != self._proven_size_px:
            return None
        return JpegImage(data, self._proven_size_px, pixel_aspect)

    def learn(self, packet: Any, frames: list[Any]) -> None:
        """Compare a packet with the frames that FFmpeg decoded from it."""
        self._proven_size_px = None
        if len(frames) != 1 or self._refusals >= MAX_REFUSALS:
            return
        (frame,) = frames
        data, size_px = bytes(packet), (frame.width, frame.height)
        if (
            orientation_of(frame).turns
            or not frame.format.name.startswith(JPEG_FORMATS)
            or whole_jpeg_size_px(data) != size_px
        ):
            return
        try:
            simplejpeg.decode_jpeg(data, "RGB")
        except ValueError:
            self._refusals += 1  # FFmpeg accepts damaged files that workers refuse
            return
        self._proven_size_px = size_px


def whole_jpeg_size_px(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) from the header of a JPEG file with tables and an end marker; None for other data."""
    scan = data.find(START_OF_SCAN)
    if not data.startswith(START_OF_IMAGE) or data.find(HUFFMAN_TABLES, 0, max(scan, 0)) < 0:
        return None
    if data.rfind(END_OF_IMAGE) < data.rfind(START_OF_SCAN):
        return None
    try:
        height_px, width_px, _, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    return int(width_px), int(height_px)
