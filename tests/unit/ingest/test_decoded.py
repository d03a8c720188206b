"""JPEG encoded directly from planes has the same pixels as JPEG encoded from rows of BGR."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
import simplejpeg

from ingest.publishing.encoding import encode
from ingest.sources.decoding.decoded import DecodedImage, FrameConverter
from ingest.sources.decoding.pixels import RowsImage
from ingest.sources.decoding.reducing import reduced_size_px
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture

UNTAGGED, BT601, BT709, BT2020, RESERVED = 2, 6, 1, 9, 3
LIMITED, FULL = 1, 2


def scene(width: int, height: int) -> np.ndarray:
    """Soft shapes in all colours, from black to white."""
    noise = np.random.default_rng(3).integers(0, 255, (2 + height // 40, 2 + width // 40, 3), np.uint8)
    image = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    image[: height // 8] = 0
    image[-(height // 8) :] = 255
    return image


def frame_of(
    size_px: tuple[int, int], pixel_format: str = "yuv420p", space: int = UNTAGGED, color_range: int = 0
) -> av.VideoFrame:
    """Return the scene as a decoder would return it; its planes have this `space` and `color_range`."""
    rows = av.VideoFrame.from_ndarray(scene(*size_px), format="bgr24")
    matrix = {BT709: "itu709", BT2020: "bt2020"}.get(space, "itu601")
    full = color_range == FULL or pixel_format == "yuvj420p"
    frame = rows.reformat(
        format=pixel_format, dst_colorspace=matrix, dst_color_range=FULL if full else LIMITED, src_color_range=FULL
    )
    frame.colorspace, frame.color_range = space, color_range
    return frame


def sent(image: DecodedImage | RowsImage, max_size_px: int | None = None) -> np.ndarray:
    """Return the BGR pixels that a worker decodes."""
    encoded = encode(image, CameraSettings(source="x.mp4"), max_size_px)
    back = simplejpeg.decode_jpeg(encoded.data, colorspace="BGR")
    assert back.shape[1::-1] == encoded.image_size_px
    return back.astype(int)


@pytest.mark.parametrize("size_px", [(320, 240), (322, 182), (321, 240), (640, 362)])
@pytest.mark.parametrize("color_range", [0, LIMITED, FULL])
@pytest.mark.parametrize("space", [UNTAGGED, BT601, BT709, BT2020])
def test_jpeg_from_planes_equals_jpeg_from_bgr(size_px: tuple[int, int], color_range: int, space: int) -> None:
    frame = frame_of(size_px, space=space, color_range=color_range)
    image = DecodedImage(frame, FrameConverter())
    assert (image.planes() is not None) == (space in {UNTAGGED, BT601})
    assert image.size_px == size_px
    direct = sent(image)
    assert np.abs(direct - sent(RowsImage(image.bgr()))).mean() <= 1.5
    assert np.abs(direct - scene(*size_px)).mean() <= 3.0


@pytest.mark.parametrize(("size_px", "limit_px"), [((320, 241), None), ((320, 242), 160), ((101, 77), None)])
def test_odd_heights_are_converted_to_bgr(size_px: tuple[int, int], limit_px: int | None) -> None:
    image = DecodedImage(frame_of(size_px), FrameConverter())
    assert image.planes(reduced_size_px(size_px, limit_px)) is None
    assert np.abs(sent(image, limit_px) - sent(RowsImage(image.bgr()), limit_px)).mean() <= 1.5


@pytest.mark.parametrize("size_px", [(320, 240), (426, 240), (400, 300), (640, 360)])
@pytest.mark.parametrize("color_range", [LIMITED, FULL])
@pytest.mark.parametrize("space", [UNTAGGED, BT709])
def test_reduced_jpeg_from_planes_equals_that_from_bgr(size_px: tuple[int, int], color_range: int, space: int) -> None:
    image = DecodedImage(frame_of(size_px, space=space, color_range=color_range), FrameConverter())
    assert np.abs(sent(image, 160) - sent(RowsImage(image.bgr()), 160)).mean() <= 2.0


def test_sizes_and_ranges_may_alternate() -> None:
    converter = FrameConverter()
    for size_px, color_range in [((320, 240), LIMITED), ((200, 160), FULL), ((320, 240), FULL), ((400, 240), LIMITED)]:
        image = DecodedImage(frame_of(size_px, color_range=color_range), converter)
        for limit_px in (None, 160):
            assert np.abs(sent(image, limit_px) - sent(RowsImage(image.bgr()), limit_px)).mean() <= 2.0


@pytest.mark.parametrize("pixel_format", ["yuv444p", "nv12", "yuv422p", "gray", "bgr24", "yuv420p10le"])
def test_other_pixel_formats_are_converted_to_bgr(pixel_format: str) -> None:
    image = DecodedImage(frame_of((320, 240), pixel_format), FrameConverter())
    assert image.planes() is None
    assert sent(image, 160).shape == (120, 160, 3)


def test_black_and_white_beyond_the_range_are_clipped() -> None:
    frame = frame_of((64, 48))
    for level, expected in ((0, 0), (255, 255)):
        frame.planes[0].update(bytes([level]) * frame.planes[0].buffer_size)
        planes = DecodedImage(frame, FrameConverter()).planes()
        assert planes is not None
        assert set(planes.y.ravel()) == {expected}


def test_converting_does_not_change_the_decoders_memory() -> None:
    frame = frame_of((64, 48), color_range=FULL)
    before = bytes(frame.planes[0])
    image = DecodedImage(frame, FrameConverter())
    image.bgr()[:] = 0
    sent(image)
    sent(image, 32)
    assert bytes(frame.planes[0]) == before


def test_colours_that_cannot_be_converted_are_a_bad_picture() -> None:
    image = DecodedImage(frame_of((64, 48), space=RESERVED), FrameConverter())
    with pytest.raises(BadPicture, match="colour space 3"):
        sent(image)
