"""Pictures that cameras send over HTTP: read by the reader of their kind, and by no other."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ingest.sources.snapshots.source import is_animation, picture_of
from posebus.errors import BadPicture

ROWS = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)


def encoded(kind: str, **options: object) -> bytes:
    body = BytesIO()
    Image.fromarray(ROWS).save(body, kind, **options)
    return body.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_picture_is_that_of_pillow(kind: str) -> None:
    body = encoded(kind)
    np.testing.assert_array_equal(picture_of(body).bgr((64, 48)), ROWS[..., ::-1])
    assert not is_animation(body)


def test_several_pictures_of_a_gif_are_an_animation() -> None:
    second = Image.fromarray(255 - ROWS)
    assert is_animation(encoded("GIF", save_all=True, append_images=[second]))


@pytest.mark.parametrize("kind", ["EPS", "ICO", "PCX", "SGI"])
def test_kinds_whose_readers_may_start_programs_or_are_rare_are_refused(kind: str) -> None:
    body = encoded(kind)
    with pytest.raises(BadPicture, match="cannot be decoded"):
        picture_of(body)
    assert not is_animation(body)
