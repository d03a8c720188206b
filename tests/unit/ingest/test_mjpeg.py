"""Which packets of MJPEG are published undecoded."""

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
    """Remove the Huffman tables, as cameras do that rely on the default ones."""
    start = data.index(HUFFMAN_TABLES)
    while (start := data.find(HUFFMAN_TABLES)) >= 0:
        length = int.from_bytes(data[start + 2 : start + 4], "big")
        data = data[:start] + data[start + 2 + length :]
    return data


class Stream:
    """Passes JPEG files through the decoder or past it, as `VideoDecoder` does."""

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
def test_incomplete_packets_go_through_the_decoder(proven: Stream, damaged: bytes) -> None:
    assert whole_jpeg_size_px(damaged) is None
    if damaged:
        assert not proven.passed_on(damaged)


def test_bytes_after_the_end_marker_are_accepted(proven: Stream) -> None:
    assert proven.passed_on(jpeg() + bytes(10))


def test_a_new_size_is_checked_again(proven: Stream) -> None:
    assert not proven.passed_on(jpeg(128, 64))
    assert proven.passed_on(jpeg(128, 64))
    assert not proven.passed_on(jpeg())


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "Gray"])
def test_usual_subsamplings_are_passed_on(subsampling: str) -> None:
    stream = Stream()
    data = jpeg(subsampling=subsampling)
    assert [stream.passed_on(data) for _ in range(3)] == [False, True, True]


def before_tables(data: bytes) -> bytes:
    """Insert bytes between two segments."""
    place = data.index(HUFFMAN_TABLES)
    return data[:place] + b"\x00\x00\x00" + data[place:]


def without_the_last_rows(data: bytes) -> bytes:
    """Cut the file off, but keep the end marker."""
    return data[:-150] + END_OF_IMAGE


@pytest.mark.parametrize("harm", [before_tables, without_the_last_rows])
def test_packets_that_workers_would_refuse_are_always_decoded(harm: Callable[[bytes], bytes]) -> None:
    odd = harm(jpeg())
    with pytest.raises(ValueError, match=r"extraneous|premature"):
        simplejpeg.decode_jpeg(odd)
    stream = Stream()
    assert [stream.passed_on(odd) for _ in range(2 * MAX_REFUSALS)] == [False] * 2 * MAX_REFUSALS


def test_a_reduced_picture_has_the_same_content() -> None:
    image = JpegImage(jpeg(960, 640), (960, 640))
    assert np.array_equal(image.bgr(), simplejpeg.decode_jpeg(jpeg(960, 640), "BGR"))
    small = image.bgr((300, 200))
    assert small.shape == (200, 300, 3)
    wanted = cv2.resize(picture(960, 640), (300, 200), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - wanted).mean() < 3


def test_a_damaged_file_is_a_bad_picture_when_its_pixels_are_needed() -> None:
    data = jpeg()
    with pytest.raises(BadPicture, match="does not decode"):
        JpegImage(data[:500] + data[-2:], (96, 64)).bgr()
