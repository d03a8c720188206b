"""Nothing of what a privacy zone shows is in a picture that leaves ingest, in whichever form and size it leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import simplejpeg

from ingest.publishing.encoding import encode, share
from ingest.sources import open_source
from ingest.sources.decoding.decoded import DecodedImage, FrameConverter
from ingest.sources.decoding.mjpeg import JpegImage
from ingest.sources.decoding.pixels import Image, RowsImage
from ingest.sources.masking.image import MaskedImage
from ingest.sources.masking.zones import Zones
from ingest.sources.turning.image import TurnedImage
from posebus.arrays import UInt8Array
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected
from posebus.runtime.shared_frames import SharedFrames

SIZE_PX = WIDTH_PX, HEIGHT_PX = 192, 128
ZONE = ((64.0, 32.0), (128.0, 32.0), (128.0, 96.0), (64.0, 96.0))
"""On the borders of JPEG's blocks of 16 pixels, so that nothing of the inside is in the file's blocks outside."""


def scene(secret: int) -> UInt8Array:
    """Two of these differ in the zone and nowhere else."""
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT_PX // 8, WIDTH_PX // 8, 3), np.uint8)
    picture = np.repeat(np.repeat(picture, 8, axis=0), 8, axis=1)
    picture[32:96, 64:128] = np.random.default_rng(secret).integers(0, 256, (64, 64, 3), np.uint8)
    return picture


def rows(picture: UInt8Array) -> Image:
    return RowsImage(picture)


def jpeg_file(picture: UInt8Array) -> Image:
    return JpegImage(simplejpeg.encode_jpeg(picture, quality=95, colorspace="BGR"), SIZE_PX)


def decoded(picture: UInt8Array) -> Image:
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
    return DecodedImage(frame.reformat(format="yuv420p", dst_color_range=1, src_color_range=2), FrameConverter())


FORMS = [rows, jpeg_file, decoded]
LIMITS_PX = [None, 96, 100, 64]


@pytest.mark.parametrize("limit_px", LIMITS_PX)
@pytest.mark.parametrize("encoding", ["jpeg", "raw", "shared"])
@pytest.mark.parametrize("form", FORMS)
def test_two_pictures_that_differ_in_a_zone_alone_are_published_as_the_same_bytes(
    form: Callable[[UInt8Array], Image], encoding: str, limit_px: int | None, tmp_path: Path
) -> None:
    shared = SharedFrames(tmp_path)
    published = []
    for secret in (1, 2):
        image = MaskedImage(form(scene(secret)), Zones((ZONE,)))
        if encoding == "shared":
            name = f"posebus-{secret}"
            assert share(image, shared, name, limit_px) is not None
            published.append(next(path for path in tmp_path.rglob("*") if name in path.name).read_bytes())
        else:
            settings = CameraSettings(source="x", encoding=encoding)  # type: ignore[arg-type]
            published.append(encode(image, settings, limit_px).data)
        plain = [encode(form(scene(one)), CameraSettings(source="x"), limit_px).data for one in (1, 2)]
        assert plain[0] != plain[1], "without the zone they differ"
    assert published[0] == published[1]


@pytest.mark.parametrize("form", FORMS)
def test_zone_is_black_and_the_rest_is_as_it_was(form: Callable[[UInt8Array], Image]) -> None:
    before = form(scene(1)).bgr().copy()
    masked = MaskedImage(form(scene(1)), Zones((ZONE,))).bgr()
    assert not masked[32:96, 64:128].any()
    outside = np.ones((HEIGHT_PX, WIDTH_PX), bool)
    outside[29:99, 61:131] = False  # the zone, with its margin of up to three pixels
    assert (masked[outside] == before[outside]).all()


def test_source_of_a_picture_keeps_its_pixels() -> None:
    picture = scene(1)
    MaskedImage(RowsImage(picture), Zones((ZONE,))).bgr()
    assert (picture == scene(1)).all()


def test_zone_in_parts_of_the_picture_is_the_same_at_every_size() -> None:
    zone = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
    white = RowsImage(np.full((100, 200, 3), 255, np.uint8))
    for size_px in ((200, 100), (100, 50), (66, 33)):
        masked = MaskedImage(white, Zones((zone,))).bgr(size_px)
        half = size_px[0] // 2
        assert not masked[:, half:].any()
        assert masked[:, : half - 4].all()


def test_zones_are_in_the_picture_that_is_turned() -> None:
    left = ((0, 0), (20, 0), (20, 60), (0, 60))
    white = RowsImage(np.full((100, 60, 3), 255, np.uint8))  # 60 wide; turned it is 100 wide and 60 high
    masked = MaskedImage(TurnedImage(white, 90), Zones((left,))).bgr()
    assert masked.shape == (60, 100, 3)
    assert not masked[:, :20].any()
    assert masked[:, 23:].all()


def test_several_zones_are_hidden() -> None:
    zones = Zones((((0, 0), (30, 0), (0, 30)), ((80, 80), (99, 80), (99, 99), (80, 99))))
    masked = MaskedImage(RowsImage(np.full((100, 100, 3), 255, np.uint8)), zones).bgr()
    assert not masked[5, 5].any()
    assert not masked[90, 90].any()
    assert masked[50, 50].all()


@pytest.fixture
def clips(tmp_path: Path) -> dict[str, str]:
    """Recordings of each kind, all white, and one that is passed on as JPEG files."""
    for name, codec, pix_fmt in (("a.mp4", "libx264", "yuv420p"), ("a.mov", "mjpeg", "yuvj420p")):
        with av.open(str(tmp_path / name), "w") as container:
            stream: Any = container.add_stream(codec, rate=5)
            stream.width, stream.height, stream.pix_fmt = *SIZE_PX, pix_fmt
            for _ in range(3):
                white = np.full((HEIGHT_PX, WIDTH_PX, 3), 255, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(white, format="bgr24")))
            container.mux(stream.encode(None))
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "1.jpg"), np.full((HEIGHT_PX, WIDTH_PX, 3), 255, np.uint8))
    return {
        "video": str(tmp_path / "a.mp4"),
        "jpegs": str(tmp_path / "a.mov"),
        "pictures": str(tmp_path / "pictures"),
        "camera": f"synthetic:zidane?width={WIDTH_PX}&height={HEIGHT_PX}",
    }


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        *((kind, part) for kind in ("video", "jpegs", "pictures", "camera") for part in ({}, {"rotate": 180})),
        ("video", {"every": 2}),
        ("jpegs", {"start_s": 0.1, "realtime": True}),
    ],
)
def test_every_kind_of_source_hides_its_zones(clips: dict[str, str], kind: str, part: dict[str, Any]) -> None:
    settings = CameraSettings(source=clips[kind], privacy_zones=[[list(point) for point in ZONE]], **part)
    source = open_source(settings)
    try:
        pictures = [source.read() for _ in range(1 if kind == "pictures" else 2)]
    finally:
        source.close()
    for picture in pictures:
        assert picture is not None
        sent = simplejpeg.decode_jpeg(encode(picture.image, settings).data, colorspace="BGR")
        assert sent[36:92, 68:124].max() < 8
        assert sent[:24].mean() > 20
        assert not picture.image_bgr[32:96, 64:128].any()


def test_jpeg_files_are_passed_on_undecoded_without_a_zone(clips: dict[str, str]) -> None:
    source = open_source(CameraSettings(source=clips["jpegs"]))
    try:
        pictures = [source.read(), source.read()]
    finally:
        source.close()
    assert pictures[-1] is not None
    assert pictures[-1].image.jpeg() is not None


def test_zone_outside_of_the_picture_is_refused_with_the_picture(clips: dict[str, str]) -> None:
    zones = [[list(point) for point in ZONE], [[500, 0], [600, 0], [600, 90]]]
    source = open_source(CameraSettings(source=clips["video"], privacy_zones=zones))
    with pytest.raises(SourceRejected, match=r"polygon 2 of privacy_zones lies outside of the picture, .* 192x128"):
        source.read()
    source.close()
