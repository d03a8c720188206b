"""Published pictures are decoded within limits, once, and at no larger size than needed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import simplejpeg

from posebus.errors import BadPicture
from workers.images.picture import Picture, decode_image


def gradient(width_px: int, height_px: int) -> np.ndarray:
    """A smooth RGB picture whose channels differ, so that swapped channels or axes show."""
    x, y = np.meshgrid(np.linspace(0, 255, width_px), np.linspace(0, 255, height_px))
    return np.stack((x, y, 255 - x), axis=-1).astype(np.uint8)


def test_raw_rows_are_bgr() -> None:
    rgb = gradient(40, 30)
    np.testing.assert_array_equal(decode_image(rgb[..., ::-1].tobytes(), "raw", (40, 30)), rgb)


def test_jpeg_is_decoded_as_rgb() -> None:
    rgb = gradient(64, 48)
    data = simplejpeg.encode_jpeg(rgb, quality=95, colorsubsampling="444")
    decoded = decode_image(data, "jpeg", (64, 48))
    assert decoded.flags.c_contiguous
    assert np.abs(decoded.astype(int) - rgb).max() < 12


JPEG = simplejpeg.encode_jpeg(gradient(64, 48))


@pytest.mark.parametrize(
    ("data", "encoding", "size_px", "words"),
    [
        (b"", "jpeg", (64, 48), "0 bytes"),
        (b"no picture at all", "jpeg", (64, 48), "does not decode"),
        (JPEG[: len(JPEG) // 2], "jpeg", (64, 48), "does not decode"),
        (JPEG, "jpeg", (64, 40), "64x48 but its message says 64x40"),
        (JPEG, "jpeg", (20_000, 5_000), "50 megapixels"),
        (JPEG, "jpeg", (65_500, 65_500), "50 megapixels"),
        (JPEG + bytes(1_100_000), "jpeg", (64, 48), "larger than its decoded rows would be"),
        (JPEG, "jpeg", (0, 48), "0x48"),
        (JPEG, "png", (64, 48), "unknown encoding 'png'"),
        (b"\0" * 100, "raw", (64, 48), "needs 9216"),
    ],
)
def test_invalid_pictures_are_refused_with_a_reason(
    data: bytes, encoding: str, size_px: tuple[int, int], words: str
) -> None:
    with pytest.raises(BadPicture, match=words):
        decode_image(data, encoding, size_px)


def test_large_jpeg_is_decoded_at_half_size_where_that_suffices() -> None:
    rgb = gradient(640, 480)
    data = simplejpeg.encode_jpeg(rgb, quality=95)
    half = decode_image(data, "jpeg", (640, 480), needed_px=(320, 240))
    assert half.shape == (240, 320, 3)
    assert np.abs(half.astype(int) - cv2.resize(rgb, (320, 240), interpolation=cv2.INTER_AREA)).max() < 12


@pytest.mark.parametrize("needed_px", [(321, 240), (320, 241), (640, 480), (1000, 900)])
def test_jpeg_is_never_decoded_below_the_needed_size(needed_px: tuple[int, int]) -> None:
    data = simplejpeg.encode_jpeg(gradient(640, 480), quality=95)
    assert decode_image(data, "jpeg", (640, 480), needed_px).shape == (480, 640, 3)


def test_picture_is_decoded_once() -> None:
    picture = Picture(JPEG, "jpeg", (64, 48))
    rows = picture.rgb((64, 48))
    picture.data = b"gone"
    assert picture.rgb() is rows
