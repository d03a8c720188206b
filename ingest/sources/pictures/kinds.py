"""The kind of a picture file by its first bytes, for names lie too often; and where its data end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

HEAD_BYTES = 64
"""So many bytes at the beginning of a file are enough for `picture_kind`, but for concatenated JPEGs."""
PREFIXES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
}
VIDEO_PREFIXES = (b"\x1aE\xdf\xa3", b"FLV\x01", b"OggS", b"\0\0\x01\xba", b"\0\0\x01\xb3")
"""Matroska, Flash, Ogg and MPEG files; ISO base media and AVI files have their mark further on."""
BMP_HEADER_BYTES = frozenset({12, 40, 52, 56, 64, 108, 124})
NETPBM = re.compile(rb"P[1-6][\s#]")
STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"miaf"})
"""Brands of ISO/IEC 23008-12 for files whose main content is a still picture. Files whose main content is a sequence
(msf1, hevc) are videos to FFmpeg."""
AVIF_BRANDS = frozenset({b"avif", b"avis"})
GENERIC_BRANDS = frozenset({b"mif1", b"msf1", b"miaf", b"mif2"})

NEEDED_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid"})
"""What phones append is not among them: their videos (mpvd) and trailers that are no boxes at all."""

_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
"""A marker in a JPEG file; stuffed bytes (0xFF00) and restart markers belong to the data of a scan."""
_END_OF_IMAGE, _START_OF_SCAN, _APP2 = 0xD9, 0xDA, 0xE2
_WITHOUT_LENGTH = frozenset({0x01, 0xD8})


def picture_kind(head: bytes) -> str | None:
    """Return the kind of the picture file that begins with `head`; None for videos and everything else.

    The kind is Pillow's name of the format, or HEIF.
    """
    for prefix, kind in PREFIXES.items():
        if head.startswith(prefix):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in BMP_HEADER_BYTES:
        return "BMP"
    if NETPBM.match(head):
        return "PPM"
    return _boxed_kind(head) if head[4:8] == b"ftyp" else None


def is_video(head: bytes) -> bool:
    """Return whether the file that begins with `head` is one of the usual videos. Its name does not count."""
    if head[4:8] == b"ftyp":
        return picture_kind(head) is None
    return head.startswith(VIDEO_PREFIXES) or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")


def _boxed_kind(head: bytes) -> str | None:
    """Return the kind by the brands of an ISO base media file, of which the first one is the main one."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    main, *others = [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]
    if main in AVIF_BRANDS or (main in GENERIC_BRANDS and AVIF_BRANDS.intersection(others)):
        return "AVIF"
    return "HEIF" if main in STILL_BRANDS else None


def boxes_are_cut_off(file: BinaryIO, size: int) -> bool:
    """Return whether a HEIF file of `size` bytes ends within a box that its pictures need (ISO/IEC 14496-12, 4.2).

    libheif leaves out the tiles that are missing, without an error.
    """
    at = 0
    while at + 8 <= size:
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if header[4:8] not in NEEDED_BOXES or length < 8:  # a length of 0 means: to the end
            return False
        at += length
    return at > size


@dataclass(frozen=True, slots=True)
class JpegLayout:
    """Where the first picture of a JPEG file ends (None: nowhere), its number of scans, and if it names others."""

    end: int | None
    scans: int
    names_others: bool


def jpeg_layout(data: bytes) -> JpegLayout:
    """Return the layout of the JPEG file `data` (ITU-T T.81, annex B; other pictures: CIPA DC-007, "MPF")."""
    at, scans, names_others = 2, 0, False
    while (found := _MARKER.search(data, at)) is not None:
        marker = found[1][0]
        at = found.end()
        if marker == _END_OF_IMAGE:
            return JpegLayout(at, scans, names_others)
        if marker not in _WITHOUT_LENGTH:
            names_others |= marker == _APP2 and data[at + 2 : at + 6] == b"MPF\0"
            scans += marker == _START_OF_SCAN
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return JpegLayout(None, scans, names_others)


def is_jpeg_video(data: bytes) -> bool:
    """Return whether JPEG files follow each other in `data`: a video (MJPEG) without a container.

    Cameras append other views and previews in the same way, but name them in the first file.
    """
    layout = jpeg_layout(data)
    rest = b"" if layout.end is None else data[layout.end : layout.end + HEAD_BYTES].lstrip(b"\0\r\n")
    return rest.startswith(b"\xff\xd8\xff") and not layout.names_others
