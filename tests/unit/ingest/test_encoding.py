from __future__ import annotations

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

from ingest.publishing.encoding import encode
from ingest.sources.decoding.pixels import Planes, RowsImage
from ingest.sources.decoding.reducing import reduce_rows, reduced_size_px
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture
from workers.images.preprocess import Letterbox


def gradient(width: int, height: int) -> np.ndarray:
    """A smooth coloured picture: blue rises to the right, green downwards, red is constant."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width)[None, :]
    image[..., 1] = np.linspace(0, 255, height)[:, None]
    image[..., 2] = 80
    return image


def settings(**values: object) -> CameraSettings:
    return CameraSettings(source="x.mp4", **values)


def test_jpeg_keeps_the_colours() -> None:
    image = gradient(161, 121)
    encoded = encode(RowsImage(image), settings())
    assert (encoded.encoding, encoded.image_size_px) == ("jpeg", (161, 121))
    back = simplejpeg.decode_jpeg(encoded.data, colorspace="BGR")
    assert np.abs(back.astype(int) - image).mean() < 3


def test_raw_is_the_rows_of_bgr_even_if_they_are_a_view() -> None:
    image = gradient(64, 48)[:, ::-1]
    encoded = encode(RowsImage(image), settings(encoding="raw"))
    assert encoded.encoding == "raw"
    assert np.array_equal(np.frombuffer(encoded.data, np.uint8).reshape(48, 64, 3), image)


def test_lower_quality_gives_fewer_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    sizes = [len(encode(RowsImage(noise), settings(jpeg_quality=quality)).data) for quality in (20, 60, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


@given(st.integers(1, 300), st.integers(1, 300), st.integers(64, 400))
def test_reducing_limits_the_longer_side_and_keeps_the_shape(width: int, height: int, limit_px: int) -> None:
    new_width, new_height = reduced_size_px((width, height), limit_px)
    assert max(new_width, new_height) == min(max(width, height), limit_px)
    scale = max(new_width, new_height) / max(width, height)
    assert abs(new_width - width * scale) <= 1
    assert abs(new_height - height * scale) <= 1
    rows = reduce_rows(np.zeros((height, 2 * width, 3), np.uint8)[:, ::2], (new_width, new_height))
    assert rows.shape == (new_height, new_width, 3)
    assert rows.flags.c_contiguous


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(2, 128))
def test_picture_reduced_to_the_size_of_inference_is_not_resized_again(width: int, height: int, blocks: int) -> None:
    imgsz = 32 * blocks
    reduced_px = reduced_size_px((width, height), imgsz)
    fitted = Letterbox.fit(reduced_px, imgsz)
    assert fitted.input_px == Letterbox.fit((width, height), imgsz).input_px
    if max(width, height) >= imgsz:
        assert fitted.resized_px == reduced_px


def test_size_is_that_of_the_reduced_picture() -> None:
    assert encode(RowsImage(gradient(640, 480)), settings(), 320).image_size_px == (320, 240)


def test_picture_longer_than_jpeg_allows_is_refused_with_a_reason() -> None:
    with pytest.raises(BadPicture, match="set max_size_px"):
        encode(RowsImage(np.zeros((2, 66_000, 3), np.uint8)), settings())


class OwnJpeg(RowsImage):
    """A picture that arrived as the JPEG file `data`."""

    def __init__(self, data: bytes, size_px: tuple[int, int]) -> None:
        super().__init__(np.zeros((size_px[1], size_px[0], 3), np.uint8))
        self._data = data

    def jpeg(self) -> bytes | None:
        return self._data


def test_a_jpeg_file_is_published_unchanged_unless_it_is_reduced_or_raw() -> None:
    image = OwnJpeg(b"as it came", (320, 240))
    assert encode(image, settings()).data == b"as it came"
    assert encode(image, settings(), 320).data == b"as it came"
    assert encode(image, settings(), 160).image_size_px == (160, 120)
    assert encode(image, settings(), 160).data != b"as it came"
    assert encode(image, settings(encoding="raw")).encoding == "raw"


def test_planes_are_encoded_if_the_picture_has_them() -> None:
    class PlanesImage(RowsImage):
        def planes(self, size_px: tuple[int, int] | None = None) -> Planes | None:
            half = np.full((24, 32), 128, np.uint8)
            return Planes(np.full((48, 64), 200, np.uint8), half, half)

    encoded = encode(PlanesImage(np.zeros((48, 64, 3), np.uint8)), settings())
    assert simplejpeg.decode_jpeg(encoded.data, colorspace="BGR").mean() == pytest.approx(200, abs=1)
