from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ingest.sources.images import ImageSource, read_picture
from ingest.sources.pictures.folder import list_pictures, natural_key
from posebus.errors import BadPicture, SourceRejected, SourceUnavailable


def picture(level: int = 100, width: int = 32, height: int = 24) -> np.ndarray:
    image = np.full((height, width, 3), level, np.uint8)
    image[:, : width // 2, 2] = 255  # the left half is red
    return image


def write(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def huge_png(path: Path, width: int, height: int) -> Path:
    """A PNG of a few bytes whose header promises `width` x `height` pixels."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(100)))]
    encoded = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(encoded))
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff"])
def test_common_formats_are_read(tmp_path: Path, suffix: str) -> None:
    image = read_picture(write(tmp_path / f"a{suffix}", picture()))
    assert image.shape == (24, 32, 3)
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - picture()).mean() < 8


def test_grey_picture_and_one_with_transparency_become_bgr(tmp_path: Path) -> None:
    assert read_picture(write(tmp_path / "grey.png", picture()[..., 0])).shape == (24, 32, 3)
    assert read_picture(write(tmp_path / "alpha.png", np.zeros((24, 32, 4), np.uint8))).shape == (24, 32, 3)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    upright = Image.fromarray(picture()[..., ::-1])
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view it upright
    upright.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    image = read_picture(tmp_path / "turned.jpg")
    assert image.shape == (32, 24, 3)
    assert image[:16, :, 2].mean() > 200  # the left side is now on top
    assert image[16:, :, 2].mean() < 150


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("empty.jpg", b"", r"is empty \(0 bytes\)"),
        ("noise.jpg", bytes(range(256)) * 40, "is not a picture"),
        ("text.png", b"hello\n", "is not a picture"),
    ],
)
def test_a_bad_picture_raises_one_sentence(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises((BadPicture, SourceRejected), match=sentence):
        read_picture(path)


def test_a_missing_picture_raises_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceRejected, match="there is no file"):
        read_picture(tmp_path / "nowhere.jpg")


@pytest.mark.parametrize("size", [(10_000, 10_000), (60_000, 60_000)])
def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(BadPicture, match="megapixels"):
        read_picture(huge_png(tmp_path / "huge.png", *size))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_cut_off_picture_is_refused_and_not_filled_with_grey(tmp_path: Path, suffix: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    path = write(tmp_path / f"a{suffix}", noise)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(BadPicture, match=r"cut off|damaged|decoded"):
        read_picture(path)


def test_cut_off_jpeg_with_an_embedded_preview_is_refused_as_well(tmp_path: Path) -> None:
    data = write(tmp_path / "a.jpg", picture(width=320, height=240)).read_bytes()
    preview = write(tmp_path / "preview.jpg", picture()).read_bytes()
    segment = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    whole = tmp_path / "whole.jpg"
    whole.write_bytes(data[:2] + segment + data[2:])
    assert read_picture(whole).shape == (240, 320, 3)
    whole.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(BadPicture, match="cut off"):
        read_picture(whole)


def test_names_are_sorted_in_natural_order() -> None:
    names = ["b10.jpg", "b9.jpg", "A2.jpg", "a10.jpg", "a1.jpg", "1.jpg"]
    assert sorted(names, key=natural_key) == ["1.jpg", "a1.jpg", "A2.jpg", "a10.jpg", "b9.jpg", "b10.jpg"]


def test_a_folder_is_read_in_natural_order_at_equal_distances_in_time(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        write(tmp_path / f"{number}.png", picture(level=number))
    source = ImageSource(tmp_path, fps=4.0, start_ns=1000)
    pictures = list(iter(source.read, None))
    assert [int(item.image_bgr[0, -1, 0]) for item in pictures] == [1, 9, 10]
    assert [item.captured_at_ns for item in pictures] == [1000, 250_001_000, 500_001_000]
    assert (source.frame_count, source.warning) == (3, None)


def test_one_bad_picture_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path / "1.png", picture(1))
    (tmp_path / "2.png").write_bytes(b"")
    write(tmp_path / "3.png", picture(3))
    source = ImageSource(tmp_path, start_ns=0)
    pictures = list(iter(source.read, None))
    assert [item.captured_at_ns for item in pictures] == [0, 2_000_000_000]
    assert source.lost == 1
    assert source.warning is not None
    assert "2.png is empty" in source.warning


def test_a_source_without_a_readable_picture_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"x")
    with pytest.raises(SourceRejected, match=r"1\.png is not a picture"):
        ImageSource(tmp_path / "1.png", start_ns=0).read()


def test_folder_without_pictures_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SourceRejected, match="holds no picture"):
        list_pictures(tmp_path)


def test_a_loop_repeats_while_time_increases(tmp_path: Path) -> None:
    write(tmp_path / "1.png", picture(1))
    write(tmp_path / "2.png", picture(2))
    source = ImageSource(tmp_path, loop=True, start_ns=0)
    pictures = [source.read() for _ in range(5)]
    assert [item.captured_at_ns // 1_000_000_000 for item in pictures if item] == [0, 1, 2, 3, 4]
    assert [int(item.image_bgr[0, -1, 0]) for item in pictures if item] == [1, 2, 1, 2, 1]


def test_a_bad_picture_raises_one_sentence_after_ultralytics_replaced_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'pi_heif'")

    (tmp_path / "noise.jpg").write_bytes(b"noise")
    monkeypatch.setattr(Image, "open", replaced)
    with pytest.raises(BadPicture, match="is not a picture"):
        read_picture(tmp_path / "noise.jpg")


def test_a_loop_whose_pictures_have_gone_is_unavailable(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.png", picture(number)) for number in (1, 2)]
    source = ImageSource(tmp_path, loop=True, start_ns=0)
    assert source.read() is not None
    for path in paths:
        path.unlink()
    with pytest.raises(SourceUnavailable, match="there is no file"):
        source.read()
