from __future__ import annotations

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

from ingest.encoding import downscale, encode
from posebus.errors import BadPicture
from posebus.settings import CameraSettings


def gradient(width: int, height: int) -> np.ndarray:
    """A smooth coloured picture: blue rises to the right, green downwards, red is constant."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width)[None, :]
    image[..., 1] = np.linspace(0, 255, height)[:, None]
    image[..., 2] = 80
    return image


def settings(**values: object) -> CameraSettings:
    return CameraSettings(source="x.mp4", **values)


def test_jpeg_comes_back_as_the_same_colours() -> None:
    image = gradient(161, 121)
    encoded = encode(image, settings())
    assert (encoded.encoding, encoded.image_size_px) == ("jpeg", (161, 121))
    back = simplejpeg.decode_jpeg(encoded.data, colorspace="BGR")
    assert np.abs(back.astype(int) - image).mean() < 3


def test_raw_is_the_rows_themselves_even_of_a_view() -> None:
    image = gradient(64, 48)[:, ::-1]
    encoded = encode(image, settings(encoding="raw"))
    assert encoded.encoding == "raw"
    assert np.array_equal(np.frombuffer(encoded.data, np.uint8).reshape(48, 64, 3), image)


def test_a_lower_quality_is_smaller() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    sizes = [len(encode(noise, settings(jpeg_quality=quality)).data) for quality in (20, 60, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


@given(st.integers(1, 300), st.integers(1, 300), st.integers(64, 400))
def test_downscale_limits_the_longer_side_and_keeps_the_shape(width: int, height: int, limit_px: int) -> None:
    reduced = downscale(np.zeros((height, width, 3), np.uint8), limit_px)
    new_height, new_width = reduced.shape[:2]
    assert max(new_width, new_height) == min(max(width, height), limit_px)
    assert reduced.flags.c_contiguous
    scale = max(new_width, new_height) / max(width, height)
    assert abs(new_width - width * scale) <= 1
    assert abs(new_height - height * scale) <= 1


def test_the_size_is_that_of_the_reduced_picture() -> None:
    assert encode(gradient(640, 480), settings(max_size_px=320)).image_size_px == (320, 240)


def test_a_picture_longer_than_jpeg_allows_is_refused_with_a_sentence() -> None:
    with pytest.raises(BadPicture, match="set max_size_px"):
        encode(np.zeros((2, 66_000, 3), np.uint8), settings())
