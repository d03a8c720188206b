"""Which packets of MJPEG may be published without decoding."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import simplejpeg

from ingest.sources.decoding.mjpeg import (
    END_OF_IMAGE,
    HUFFMAN_TABLES,
    MAX_REFUSALS,
    JpegImage,
    JpegPackets,
    whole_jpeg_size_px,
)
from posebus.errors import BadPicture


def picture(width: int = 96, height: int = 64) -> np.ndarray:
    noise = np.random.default_rng(5).integers(0, 255, (4, 6, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def jpeg(width: int = 96, height: int = 64, subsampling: str = "420") -> bytes:
    return simplejpeg.encode_jpeg(picture(width, height), colorspace="BGR", colorsubsampling=subsampling)


def without_tables(data: bytes) -> bytes:
    """A JPEG without Huffman tables, as some cameras send it, because the usual tables are known."""
    start = data.index(HUFFMAN_TABLES)
    while (start := data.find(HUFFMAN_TABLES)) >= 0:
        length = int.from_bytes(data[start + 2 : start + 4], "big")
        data = data[:start] + data[start + 2 + length :]
    return data


class Stream:
    """JPEG files through the decoder and past it, as `VideoDecoder` handles them."""

    def __init__(self) -> None:
        self._decoder = av.CodecContext.create("mjpeg", "r")
        self._packets = JpegPackets()

    def passed_on(self, data: bytes) -> bool:
        packet = av.Packet(data)
        packet.time_base = Fraction(1, 25)
        if self._packets.image(packet) is not None:
            return True
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            return False
        self._packets.learn(packet, frames)
        return False


@pytest.fixture
def proven() -> Stream:
    """A stream whose first picture has been decoded."""
    stream = Stream()
    assert not stream.passed_on(jpeg())
    assert stream.passed_on(jpeg())
    return stream


@pytest.mark.parametrize(
    "damaged",
    [
        jpeg()[:-2],
        jpeg()[:300],
        jpeg()[2:],
        without_tables(jpeg()),
        b"",
        b"\xff\xd8\xff\xd9",
        jpeg()[:150] + b"\xff\xd9",
    ],
)
def test_incomplete_jpeg_is_decoded(proven: Stream, damaged: bytes) -> None:
    assert whole_jpeg_size_px(damaged) is None
    if damaged:
        assert not proven.passed_on(damaged)


def test_bytes_after_the_end_are_harmless(proven: Stream) -> None:
    assert proven.passed_on(jpeg() + bytes(10))


def test_new_size_is_checked_again(proven: Stream) -> None:
    assert not proven.passed_on(jpeg(128, 64))
    assert proven.passed_on(jpeg(128, 64))
    assert not proven.passed_on(jpeg())


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "Gray"])
def test_all_usual_subsamplings_are_published_without_decoding(subsampling: str) -> None:
    stream = Stream()
    data = jpeg(subsampling=subsampling)
    assert [stream.passed_on(data) for _ in range(3)] == [False, True, True]


def before_tables(data: bytes) -> bytes:
    """With bytes between two segments."""
    place = data.index(HUFFMAN_TABLES)
    return data[:place] + b"\x00\x00\x00" + data[place:]


def without_the_last_rows(data: bytes) -> bytes:
    """Cut off, but with the mark of the end."""
    return data[:-150] + END_OF_IMAGE


@pytest.mark.parametrize("harm", [before_tables, without_the_last_rows])
def test_jpeg_that_workers_would_refuse_is_decoded_every_time(harm: Callable[[bytes], bytes]) -> None:
    odd = harm(jpeg())
    with pytest.raises(ValueError, match=r"extraneous|premature"):
        simplejpeg.decode_jpeg(odd)
    stream = Stream()
    assert [stream.passed_on(odd) for _ in range(2 * MAX_REFUSALS)] == [False] * 2 * MAX_REFUSALS


def test_reduced_picture_shows_the_same() -> None:
    image = JpegImage(jpeg(960, 640), (960, 640))
    assert np.array_equal(image.bgr(), simplejpeg.decode_jpeg(jpeg(960, 640), "BGR"))
    small = image.bgr((300, 200))
    assert small.shape == (200, 300, 3)
    wanted = cv2.resize(picture(960, 640), (300, 200), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - wanted).mean() < 3


def test_damage_inside_is_a_bad_picture_when_the_pixels_are_needed() -> None:
    data = jpeg()
    with pytest.raises(BadPicture, match="does not decode"):
        JpegImage(data[:500] + data[-2:], (96, 64)).bgr()
