"""Damaged picture files. Native code decodes them, so each test decodes in a separate process, which alone may crash.

Files of every kind: the result is pictures of the size that the file says, or BadPicture is raised.
"""

from __future__ import annotations

import random
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from fuzz.inputs import damaged
from fuzz.separate_process import check_attempts, count_attempts
from PIL import Image

from ingest.sources.pictures.opening import open_picture
from posebus.errors import BadPicture

pytestmark = pytest.mark.timeout(1800)

KINDS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "PPM", "JPEG2000")
MOST_PICTURES = 20


def files() -> list[bytes]:
    """Two pictures in files of all kinds, the second as a further picture where the kind has some."""
    squares = np.random.default_rng(1).integers(0, 255, (2, 6, 8, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    first, second = (Image.fromarray(picture) for picture in squares)
    made = []
    for kind in KINDS:
        file = BytesIO()
        several = kind in ("PNG", "GIF", "WEBP", "AVIF", "TIFF")
        first.save(file, kind, **({"save_all": True, "append_images": [second]} if several else {}))
        made.append(file.getvalue())
    file = BytesIO()
    pillow_heif.from_pillow(first).save(file, format="HEIF", tile_size=32)
    return [*made, file.getvalue()]


def attempt(rng: random.Random, valid: list[bytes], path: Path) -> str:
    """Read one file and return the outcome."""
    data = rng.choice(valid)
    path.write_bytes(data if rng.randrange(20) == 0 else damaged(rng, data) or b"x")
    try:
        with open_picture(path) as opened:
            for index in range(min(opened.count, MOST_PICTURES)):
                image = opened.read(index).image_bgr
                assert image.dtype == np.uint8
                assert image.ndim == 3
                assert image.shape[2] == 3
                assert image.flags.c_contiguous
    except BadPicture:
        return "refused"
    return "decoded"


def main() -> None:
    """Runs in the separate process: `test_picture_files.py SEED NUMBER`."""
    valid = files()
    with tempfile.TemporaryDirectory() as folder:
        count_attempts(lambda rng: attempt(rng, valid, Path(folder) / "a"))


def test_damaged_picture_files(thorough: bool) -> None:
    check_attempts("test_picture_files", 6000 if thorough else 300)


if __name__ == "__main__":
    main()
