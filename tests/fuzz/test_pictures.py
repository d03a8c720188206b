"""Malformed pictures. Native code decodes them, so each test decodes in a separate process, which alone may crash.

For raw rows, JPEGs of every kind that libjpeg supports, and false sizes: the result is a picture of the claimed size or
smaller, or BadPicture is raised.
"""

from __future__ import annotations

import random
from io import BytesIO

import numpy as np
import pytest
import simplejpeg
from fuzz.inputs import damaged
from fuzz.separate_process import check_attempts, count_attempts
from PIL import Image

from posebus.errors import BadPicture
from workers.images.picture import decode_image

pytestmark = pytest.mark.timeout(1800)

SIZE_PX = (64, 48)
SIZES_PX = (SIZE_PX, (48, 64), (65_535, 65_535), (1, 1), (0, 1), (-5, 3), (7000, 7000), (128, 96), (10**12, 1))


def pictures() -> list[bytes]:
    """The same picture in all kinds of files, not only JPEGs."""
    rng = np.random.default_rng(1)
    rgb = np.repeat(np.repeat(rng.integers(0, 255, (6, 8, 3), np.uint8), 8, axis=0), 8, axis=1)
    made = [simplejpeg.encode_jpeg(rgb, 85, "RGB", sampling) for sampling in ("444", "422", "420", "Gray")]
    image = Image.fromarray(rgb)
    for mode, kind, options in (
        ("RGB", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {}),
        ("L", "JPEG", {"progressive": True}),
        ("RGB", "JPEG", {"restart_marker_rows": 1, "comment": b"x" * 300}),
        ("RGB", "PNG", {}),
        ("P", "GIF", {}),
        ("RGB", "BMP", {}),
        ("RGB", "WEBP", {}),
        ("RGB", "TIFF", {}),
    ):
        file = BytesIO()
        image.convert(mode).save(file, kind, **options)
        made.append(file.getvalue())
    return made


def sized(data: bytes, width: int, height: int) -> bytes:
    """`data`, a JPEG, with another size in its frame header."""
    at = next((data.index(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in data), None)
    return (
        data if at is None else data[: at + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 9 :]
    )


def attempt(rng: random.Random, valid: list[bytes]) -> str:
    """Decode one picture and return the outcome."""
    data, size_px, encoding = rng.choice(valid), SIZE_PX, "jpeg"
    kind = rng.randrange(8)
    if kind == 0:
        size_px = rng.choice(SIZES_PX)
    elif kind == 1:
        size_px = rng.choice(((65_500, 65_500), (65_535, 700), (800, 600), (2, 2)))
        data = sized(data, *size_px)
    elif kind == 2:
        encoding = rng.choice(("raw", "png", "", "rgb", "shared"))
        data = rng.choice((data, bytes(64 * 48 * 3), bytes(64 * 48 * 3 - 1), b""))
    elif kind == 3:
        data = data[: rng.randrange(len(data))]
    else:
        data = damaged(rng, data)
    needed_px = rng.choice((None, (16, 12), (64, 48), (640, 480)))
    try:
        rows = decode_image(data, encoding, size_px, needed_px)
    except BadPicture:
        return "refused"
    assert rows.dtype == np.uint8
    assert rows.flags.c_contiguous
    assert rows.shape[0] <= size_px[1]
    assert rows.shape[1] <= size_px[0]
    assert rows.shape[2] == 3
    return "decoded"


def main() -> None:
    """Runs in the separate process: `test_pictures.py SEED NUMBER`."""
    valid = pictures()
    count_attempts(lambda rng: attempt(rng, valid))


def test_damaged_pictures(thorough: bool) -> None:
    check_attempts("test_pictures", 12_000 if thorough else 800)


if __name__ == "__main__":
    main()
