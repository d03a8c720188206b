"""The setting `rotate` against Pillow's own turning: every form of a picture, every kind of source, real people."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image as Pillow

from ingest.publishing.encoding import encode
from ingest.sources import CapturedImage, open_source
from ingest.sources.decoding.decoded import DecodedImage, FrameConverter
from ingest.sources.decoding.mjpeg import JpegImage
from ingest.sources.decoding.pixels import Image, RowsImage
from ingest.sources.synthetic import SyntheticScene, parse_spec
from ingest.sources.turning.image import TurnedImage
from posebus.boxes import iou_matrix
from posebus.config.settings import CameraSettings
from tests.clips import photograph
from tests.integration.conftest import MakeEstimator
from workers.detections import Detections
from workers.images.picture import decode_image

PILLOW = {90: Pillow.Transpose.ROTATE_270, 180: Pillow.Transpose.ROTATE_180, 270: Pillow.Transpose.ROTATE_90}
"""Pillow turns counter-clockwise."""
DEGREES = sorted(PILLOW)
CLIP_PX = (96, 64)


def scene(width: int, height: int) -> np.ndarray:
    """Soft shapes in all colours, different at every side."""
    noise = np.random.default_rng(3).integers(0, 255, (5, 7, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def turned(rows: np.ndarray, degrees: int) -> np.ndarray:
    """BGR or grey rows as Pillow turns them clockwise."""
    return np.asarray(Pillow.fromarray(rows).transpose(PILLOW[degrees]))


def decoded(size_px: tuple[int, int], aspect: Fraction = Fraction(1)) -> DecodedImage:
    rows = av.VideoFrame.from_ndarray(scene(*size_px), format="bgr24")
    return DecodedImage(rows.reformat(format="yuv420p", dst_color_range=1, src_color_range=2), FrameConverter(), aspect)


def jpeg(size_px: tuple[int, int]) -> JpegImage:
    return JpegImage(simplejpeg.encode_jpeg(scene(*size_px), quality=95, colorspace="BGR"), size_px)


def sent(image: Image) -> np.ndarray:
    """The BGR pixels that a worker decodes."""
    return simplejpeg.decode_jpeg(encode(image, CameraSettings(source="x"), None).data, colorspace="BGR")


def worst(one: np.ndarray, other: np.ndarray) -> float:
    """The mean difference of the worst eighth of the rows: a shift of a pixel or a colour shows there."""
    assert one.shape == other.shape
    difference = np.abs(one.astype(float) - other.astype(float)).reshape(len(one), -1).mean(axis=1)
    return float(np.sort(difference)[-max(1, len(one) // 8) :].mean())


@pytest.mark.parametrize("size_px", [(96, 64), (97, 64), (96, 65), (97, 65)])
@pytest.mark.parametrize("degrees", DEGREES)
def test_every_form_of_a_picture_is_turned_as_pillow_turns_it(degrees: int, size_px: tuple[int, int]) -> None:
    forms: list[Image] = [decoded(size_px), jpeg(size_px), RowsImage(scene(*size_px))]
    for form in forms:
        image = TurnedImage(form, degrees)
        assert image.size_px == (size_px if degrees == 180 else size_px[::-1])
        assert np.array_equal(image.bgr(), turned(form.bgr(), degrees))
        assert image.bgr().flags.c_contiguous
        half_px = image.size_px[0] // 2, image.size_px[1] // 2
        assert np.array_equal(
            image.bgr(half_px), turned(form.bgr(half_px if degrees == 180 else half_px[::-1]), degrees)
        )
        small_px = (8, 6) if degrees == 180 else (6, 8)
        assert np.array_equal(image.grey(small_px), turned(form.grey((8, 6)), degrees))
        assert worst(sent(image), turned(sent(RowsImage(form.bgr())), degrees)) < 4
        assert image.jpeg() is None  # its file shows it as it was


def test_the_planes_of_the_decoder_are_turned_where_their_sides_are_even() -> None:
    assert TurnedImage(decoded((96, 64)), 90).planes() is not None
    assert TurnedImage(decoded((97, 64)), 90).planes() is None
    assert TurnedImage(RowsImage(scene(96, 64)), 90).planes() is None


def test_oblong_pixels_are_turned_with_the_picture() -> None:
    image = decoded((96, 64), Fraction(4, 3))
    assert [TurnedImage(image, degrees).pixel_aspect for degrees in DEGREES] == [
        Fraction(3, 4),
        Fraction(4, 3),
        Fraction(3, 4),
    ]


def make_clip(path: Path, codec: str, display_degrees: int = 0) -> Path:
    """Five equal pictures of the scene."""
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *CLIP_PX, pix_fmt, 8_000_000
        if display_degrees:
            stream.set_display_rotation(display_degrees)
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(*CLIP_PX), format="bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A source of each kind that shows the scene upright, and one whose container turns it."""
    folder = tmp_path_factory.mktemp("clips")
    cv2.imwrite(str(folder / "still.png"), scene(*CLIP_PX))
    return {
        "video": str(make_clip(folder / "a.mp4", "libx264")),
        "jpegs": str(make_clip(folder / "a.mov", "mjpeg")),
        "turned": str(make_clip(folder / "turned.mp4", "libx264", 90)),
        "picture": str(folder / "still.png"),
        "camera": "synthetic:zidane?fps=50&width=96&height=64",
    }


def first_two(source: str, **values: object) -> list[CapturedImage]:
    """The first pictures of the source; the second packet of an MJPEG file is passed on undecoded."""
    opened = open_source(CameraSettings(source=source, **values))
    try:
        return [picture for picture in (opened.read(), opened.read()) if picture is not None]
    finally:
        opened.close()


@pytest.mark.parametrize("kind", ["video", "jpegs", "turned", "picture", "camera"])
def test_every_kind_of_source_gives_turned_pictures(sources: dict[str, str], kind: str) -> None:
    upright = first_two(sources[kind])[-1].image
    assert (upright.jpeg() is not None) == (kind == "jpegs")
    if kind == "turned":  # by its container
        assert upright.size_px == CLIP_PX[::-1]
    for degrees in DEGREES:
        picture = first_two(sources[kind], rotate=degrees)[-1]
        image = picture.image
        if kind == "camera":  # which moves on between two connections
            upright = RowsImage(SyntheticScene(parse_spec(sources[kind])).render(picture.captured_at_ns))
        assert image.size_px == (upright.size_px if degrees == 180 else upright.size_px[::-1])
        # A synthetic camera moves on between two connections.
        assert worst(image.bgr(), turned(upright.bgr(), degrees)) < (12 if kind == "camera" else 0.01)


def test_without_rotation_the_pictures_come_as_before(sources: dict[str, str]) -> None:
    assert isinstance(first_two(sources["jpegs"], rotate=0)[-1].image, JpegImage)


@pytest.mark.parametrize("degrees", DEGREES)
def test_people_in_a_turned_picture_are_found_after_rotating_it(
    degrees: int, tmp_path: Path, make_estimator: MakeEstimator
) -> None:
    """The camera hangs so that its picture has to be turned by `degrees` to be upright."""
    upright = cv2.imread(str(photograph("bus.jpg")))
    hanging = turned(upright, 360 - degrees)
    cv2.imwrite(str(tmp_path / "hanging.png"), hanging)
    estimator = make_estimator(engine="openvino", precision="fp32", conf=0.3)

    def people(rotate: int) -> Detections:
        (picture, *_) = first_two(str(tmp_path / "hanging.png"), rotate=rotate)
        encoded = encode(picture.image, CameraSettings(source="x"), 640)
        return estimator.estimate(decode_image(encoded.data, encoded.encoding, encoded.image_size_px))

    expected = estimator.estimate(cv2.resize(upright, (480, 640), interpolation=cv2.INTER_AREA)[..., ::-1])
    found = people(degrees)
    assert len(expected.scores) == len(found.scores) == 4
    assert float(iou_matrix(expected.boxes_xyxy_px, found.boxes_xyxy_px).max(axis=1).min()) > 0.9
    assert len(people(0).scores) <= 2
