"""What the header of a JPEG file says, read without decoding its picture (ITU-T T.81, B.1 and B.2)."""

from __future__ import annotations

from posebus.errors import BadPicture

MAX_PIXELS = 8_000_000
"""A decoded picture takes 3 bytes for each pixel in a worker."""
_START, _END, _FILLER = 0xD8, 0xD9, 0xFF
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
"""Markers among those of frames that are none: Huffman tables, an extension, arithmetic coding."""
_SCAN = 0xDA
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""


def jpeg_size_px(data: bytes) -> tuple[int, int]:
    """Return (width, height) of a JPEG picture that workers can decode: baseline, of 8 bits, grey or in colours.

    Raises BadPicture with a sentence for anything else, and for more than MAX_PIXELS.
    """
    if data[:2] != bytes((_FILLER, _START)):
        raise BadPicture("the upload is no JPEG picture")
    if data[-2:] != bytes((_FILLER, _END)):
        raise BadPicture("the JPEG picture is cut off: its end is missing")
    position = 2
    while position + 4 <= len(data):
        if data[position] != _FILLER:
            break
        marker = data[position + 1]
        if marker == _FILLER or marker in _ALONE:
            position += 1 if marker == _FILLER else 2
            continue
        if marker in (_SCAN, _END):
            break
        length = int.from_bytes(data[position + 2 : position + 4])
        if length < 2:
            break
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            return _of_frame(marker, data[position + 4 : position + 2 + length])
        position += 2 + length
    raise BadPicture("the JPEG picture is broken: its header does not say how large it is")


def _of_frame(marker: int, header: bytes) -> tuple[int, int]:
    """The size in the header of a frame: precision, height, width, number of components, 3 bytes for each."""
    if marker == _PROGRESSIVE:
        raise BadPicture("the JPEG picture is progressive: send baseline JPEG, as browsers encode it")
    if marker not in (_BASELINE, _EXTENDED):
        raise BadPicture("the JPEG picture has a kind of encoding that is not supported: send baseline JPEG")
    if len(header) < 6 or len(header) < 6 + 3 * header[5]:
        raise BadPicture("the JPEG picture is broken: the header of its frame is cut off")
    precision, components = header[0], header[5]
    height, width = int.from_bytes(header[1:3]), int.from_bytes(header[3:5])
    if precision != 8 or components not in (1, 3):
        raise BadPicture(
            f"the JPEG picture has {components} components of {precision} bits: send grey or YCbCr pictures of 8 bits"
        )
    if width == 0 or height == 0:
        raise BadPicture("the JPEG picture has no size")
    if width * height > MAX_PIXELS:
        raise BadPicture(
            f"the picture has {width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} million: send a smaller one"
        )
    return width, height
