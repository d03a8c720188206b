"""MJPEG: its packets are JPEG files already, and travel as they came, undecoded, where any reader takes them.

Not every packet is such a file. Some cameras leave the Huffman tables out, interlaced ones put two pictures into one
packet, and a packet that lost its end is no picture at all. What is not beyond doubt goes through the decoder.
"""

from __future__ import annotations

from typing import Any

import simplejpeg

from ingest.sources.decoding.pixels import BgrImage, Planes
from ingest.sources.decoding.reducing import Rows, reduce_rows
from posebus.errors import BadPicture

START_OF_IMAGE = b"\xff\xd8"
START_OF_SCAN = b"\xff\xda"
END_OF_IMAGE = b"\xff\xd9"
HUFFMAN_TABLES = b"\xff\xc4"
JPEG_FORMATS = ("yuvj", "gray")
"""How the names of FFmpeg's pixel formats begin that JPEG files of the usual colours decode to."""


MAX_REFUSALS = 5
"""After as many pictures that only FFmpeg could read, a stream is decoded without asking any more."""


class JpegImage:
    """A picture that came as the JPEG file `data`; decoded only where somebody needs its pixels."""

    def __init__(self, data: bytes, size_px: tuple[int, int]) -> None:
        self._data = data
        self._size_px = size_px

    @property
    def size_px(self) -> tuple[int, int]:
        """See `Image.size_px`."""
        return self._size_px

    def bgr(self, size_px: tuple[int, int] | None = None) -> BgrImage:
        """See `Image.bgr`. Most of the reduction is done in decoding, which then costs less instead of more."""
        width_px, height_px = size_px or self._size_px
        try:
            rows: BgrImage = simplejpeg.decode_jpeg(self._data, "BGR", min_height=height_px, min_width=width_px)
        except ValueError as error:
            raise BadPicture(f"a JPEG of {len(self._data)} bytes from the camera does not decode ({error})") from error
        return reduce_rows(rows, (width_px, height_px))

    def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
        """None."""
        return None

    def grey(self, size_px: tuple[int, int]) -> Rows:
        """See `Image.grey`; decoded to an eighth where that is enough."""
        try:
            grey: BgrImage = simplejpeg.decode_jpeg(self._data, "GRAY", min_height=size_px[1], min_width=size_px[0])
        except ValueError as error:
            raise BadPicture(f"a JPEG of {len(self._data)} bytes from the camera does not decode ({error})") from error
        return reduce_rows(grey[..., 0], size_px)

    def jpeg(self) -> bytes | None:
        """The file itself."""
        return self._data


class JpegPackets:
    """Tells which packets of one MJPEG stream may travel as they are.

    The first picture is decoded twice, by FFmpeg and as workers do, and proves size, colours and uprightness for those
    that look the same from outside; so does the first one after a change of size.
    """

    def __init__(self) -> None:
        self._proven_size_px: tuple[int, int] | None = None
        self._refusals = 0

    def image(self, packet: Any) -> JpegImage | None:
        """The picture in `packet`, undecoded; None if it has to be decoded."""
        if self._proven_size_px is None or packet.is_corrupt:
            return None
        data = bytes(packet)
        return JpegImage(data, self._proven_size_px) if whole_jpeg_size_px(data) == self._proven_size_px else None

    def learn(self, packet: Any, frames: list[Any]) -> None:
        """Compare a packet with what FFmpeg decoded from it."""
        self._proven_size_px = None
        if len(frames) != 1 or self._refusals >= MAX_REFUSALS:
            return
        (frame,) = frames
        data, size_px = bytes(packet), (frame.width, frame.height)
        if frame.rotation or not frame.format.name.startswith(JPEG_FORMATS) or whole_jpeg_size_px(data) != size_px:
            return
        try:
            simplejpeg.decode_jpeg(data, "RGB")
        except ValueError:
            self._refusals += 1  # FFmpeg forgives more than workers do
            return
        self._proven_size_px = size_px


def whole_jpeg_size_px(data: bytes) -> tuple[int, int] | None:
    """(width, height) by the header of a JPEG file that has its tables and its end; None for anything else."""
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
