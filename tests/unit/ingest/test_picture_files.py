"""Picture files of every kind. The right pixels are those that Pillow, libheif or FFmpeg give, or that were written."""

from __future__ import annotations

import json
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from ingest.sources import open_source, read_picture, source_kind
from ingest.sources.images import ImageSource
from ingest.sources.pictures.folder import list_pictures
from ingest.sources.pictures.opening import MAX_SCANS
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture, SourceRejected

ORIENTATION = 0x0112
DURATIONS_MS = (40, 80, 200, 120, 100)
SMALL_LOSS = 8.0
"""Mean difference of a picture that was compressed; that of a wrong orientation is ten times as much."""


def patches(seed: int = 0) -> np.ndarray:
    """A picture of 8 x 6 coloured squares, different in every orientation: (96, 128, 3) uint8 RGB."""
    squares = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return squares.repeat(16, 0).repeat(16, 1)


def difference(image_bgr: np.ndarray, expected_rgb: Any) -> float:
    expected = np.asarray(expected_rgb)
    assert image_bgr.shape == expected.shape
    return float(np.abs(image_bgr[..., ::-1].astype(int) - expected).mean())


def read_all(path: Path, **changes: Any) -> tuple[list[np.ndarray], list[float], str | None]:
    """The pictures, their times in seconds, and the warning of `path` as `run` reads it."""
    source = open_source(CameraSettings(source=str(path), delivery="lossless", **changes))
    pictures = list(iter(source.read, None))
    source.close()
    return [item.image_bgr for item in pictures], [item.captured_at_ns / 1e9 for item in pictures], source.warning


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_seen_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    stored = Image.fromarray(patches())
    stored.getexif()[ORIENTATION] = orientation
    exif = stored.getexif().tobytes()
    path = tmp_path / "a"
    if kind == "HEIF":  # as boxes irot and imir
        file = pillow_heif.from_pillow(Image.fromarray(patches()))
        file.info["exif"] = exif
        file.save(path, quality=95)
        assert (b"irot" in path.read_bytes()) or (b"imir" in path.read_bytes()) or orientation == 1
    else:
        stored.save(path, kind, exif=exif, quality=95)

    picture = read_picture(path)
    assert difference(picture, ImageOps.exif_transpose(stored)) < SMALL_LOSS
    assert (picture.dtype, picture.flags.c_contiguous, picture.flags.writeable) == (np.uint8, True, True)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_animation_gives_all_its_pictures_for_as_long_as_it_shows_them(tmp_path: Path, kind: str) -> None:
    shown = [Image.fromarray(patches(seed)) for seed in range(len(DURATIONS_MS))]
    path = tmp_path / "a.bin"
    options: dict[str, Any] = {"WEBP": {"lossless": True}, "AVIF": {"quality": 95}}.get(kind, {})
    shown[0].save(path, kind, save_all=True, append_images=shown[1:], duration=list(DURATIONS_MS), **options)
    expected = []
    with Image.open(path) as file:
        for number in range(file.n_frames):
            file.seek(number)
            expected.append(np.asarray(file.convert("RGB")))

    pictures, times_s, warning = read_all(path)

    assert [difference(*pair) for pair in zip(pictures, expected, strict=True)] == [0.0] * len(shown)
    assert np.allclose(np.diff(times_s), np.array(DURATIONS_MS[:-1]) / 1000)
    assert warning is None


def test_times_of_a_gif_are_those_of_ffprobe_also_where_it_gives_no_durations(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    shown = [Image.fromarray(patches(seed)) for seed in range(4)]
    shown[0].save(path, save_all=True, append_images=shown[1:], duration=[0, 10, 50, 0])
    command = ["ffprobe", "-v", "error", "-show_entries", "frame=pts_time", "-of", "json", str(path)]
    frames = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["frames"]

    _, times_s, _ = read_all(path)

    assert times_s == pytest.approx([float(frame["pts_time"]) for frame in frames])


def test_picture_that_stands_in_for_an_animation_is_not_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    stand_in, *shown = (Image.fromarray(patches(seed)) for seed in range(3))
    stand_in.save(path, save_all=True, append_images=shown, default_image=True, duration=100)

    pictures, _, _ = read_all(path)

    assert [difference(*pair) for pair in zip(pictures, shown, strict=True)] == [0.0, 0.0]


def test_pages_of_a_tiff_are_pictures_at_equal_distances_without_its_previews(tmp_path: Path) -> None:
    pages = [Image.fromarray(patches(seed)) for seed in range(3)]
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}  # NewSubfileType: a preview of another page
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])

    pictures, times_s, _ = read_all(path, max_fps=4.0)

    assert [difference(*pair) for pair in zip(pictures, [pages[0], pages[2]], strict=True)] == [0.0, 0.0]
    assert times_s == [0.0, 0.25]


def test_raw_file_that_holds_a_preview_only_is_refused(tmp_path: Path) -> None:
    Image.fromarray(patches()).save(tmp_path / "a.tif", tiffinfo={254: 1})
    with pytest.raises(BadPicture, match="only previews"):
        read_picture(tmp_path / "a.tif")


def test_heif_picture_of_tiles_has_the_size_of_all_tiles_together(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(Image.fromarray(patches())).save(path, quality=95, tile_size=64)
    assert b"grid" in path.read_bytes()

    assert difference(read_picture(path), patches()) < SMALL_LOSS


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_heif_picture_without_its_last_tiles_is_cut_off(tmp_path: Path, part: float) -> None:
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(Image.fromarray(patches())).save(path, quality=95, tile_size=64)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(BadPicture, match="is cut off"):
        read_picture(path)


@pytest.mark.parametrize("rest", [b"SEFHjunk", b"\0\0\1\0mpvdcut off", b"\0\0\xff\xda", b"\xff\xd8\xff\xdb"])
@pytest.mark.parametrize("kind", ["JPEG", "HEIF"])
def test_what_phones_append_to_a_picture_changes_nothing(tmp_path: Path, kind: str, rest: bytes) -> None:
    path = tmp_path / "a.jpg"
    pillow_heif.from_pillow(Image.fromarray(patches())).save(path, quality=95)
    if kind == "JPEG":
        Image.fromarray(patches()).save(path, quality=95)
    path.write_bytes(path.read_bytes() + rest)

    pictures, _, warning = read_all(path)

    assert [difference(picture, patches()) < SMALL_LOSS for picture in pictures] == [True]
    assert warning is None


@pytest.mark.parametrize("suffix", [".mjpeg", ".bin", ""])
def test_jpeg_files_one_after_the_other_are_a_video(tmp_path: Path, suffix: str) -> None:
    one = tmp_path / "one.jpg"
    Image.fromarray(patches()).save(one)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(one.read_bytes() * 3)
    pictures, _, _ = read_all(path)
    assert len(pictures) == 3
    path.write_bytes(one.read_bytes())
    assert source_kind(CameraSettings(source=str(path))) == "images"


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.mp4", "a.txt", "a"])
def test_name_of_a_picture_does_not_matter(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for kind in ("PNG", "BMP", "TIFF", "PPM", "JPEG2000"):
        Image.fromarray(patches()).save(path, kind)
        pictures, _, _ = read_all(path)
        assert [difference(picture, patches()) for picture in pictures] == [0.0], kind


def test_video_with_the_name_of_a_picture_is_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1:r=3:s=64x48", "-f", "mp4", str(path)]
    subprocess.run(command, check=True)
    assert len(read_all(path)[0]) == 3
    with pytest.raises(BadPicture, match="is a video and no picture"):
        read_picture(path)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_picture_of_16_bits_keeps_its_brightness(tmp_path: Path, kind: str) -> None:
    grey = patches()[..., 0]
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "a", kind)  # 0 stays black, 255 becomes 65535
    assert difference(read_picture(tmp_path / "a"), np.dstack([grey] * 3)) == 0.0


@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "JPEG"), ("P", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("1", "TIFF")]
)
def test_other_colours_are_those_of_pillow(tmp_path: Path, mode: str, kind: str) -> None:
    path = tmp_path / "a"
    Image.fromarray(patches()).convert(mode).save(path, kind)
    with Image.open(path) as file:
        expected = np.asarray(file.convert("RGB"))
    assert difference(read_picture(path), expected) == 0.0


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_animation_that_is_cut_off_gives_the_pictures_before_with_a_warning(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    noise = np.random.default_rng(0).integers(0, 255, (4, 40, 60, 3), np.uint8)
    shown = [Image.fromarray(picture) for picture in noise]
    shown[0].save(path, kind, save_all=True, append_images=shown[1:], duration=100)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])

    pictures, times_s, warning = read_all(path)

    assert len(pictures) == 2
    assert times_s == pytest.approx([0.0, 0.1])
    assert warning is not None
    assert warning.endswith(f"is cut off ({kind}); copy it again (after 2 of its pictures)")


@pytest.mark.parametrize(("size_px", "sentence"), [((10_000, 6000), "60 megapixels"), ((70_000, 20), "no side may ex")])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_picture_above_the_limits_is_refused_by_its_header(
    tmp_path: Path, kind: str, size_px: tuple[int, int], sentence: str
) -> None:
    """Only the header is there: whoever decodes it first would say that it is cut off."""
    path = tmp_path / "a"
    width, height = size_px
    Image.new("1", (64, 48)).save(path, kind)
    data = bytearray(path.read_bytes())
    if kind == "TIFF":
        for tag, value in ((256, width), (257, height)):
            at = data.index(struct.pack("<HH", tag, 4)) if struct.pack("<HH", tag, 4) in data else None
            at = data.index(struct.pack("<HH", tag, 3)) if at is None else at
            data[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    else:
        at, order = (16, ">II") if kind == "PNG" else (18, "<II")
        data[at : at + 8] = struct.pack(order, width, height)
        if kind == "PNG":
            data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    path.write_bytes(data)
    with pytest.raises(BadPicture, match=sentence):
        read_picture(path)


def test_jpeg_of_endless_scans_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(patches()).save(path, progressive=True)
    data = path.read_bytes()
    last = data.rindex(b"\xff\xda")
    path.write_bytes(data[:last] + data[last:-2] * (MAX_SCANS + 1) + data[-2:])
    with pytest.raises(BadPicture, match="scans, more than"):
        read_picture(path)


def test_folder_takes_pictures_of_all_names_and_tells_what_else_it_holds(tmp_path: Path) -> None:
    Image.fromarray(patches()).save(tmp_path / "10.JFIF", "JPEG")
    pillow_heif.from_pillow(Image.fromarray(patches())).save(tmp_path / "2.heic")
    Image.fromarray(patches()).save(tmp_path / "3.dat", "PNG")
    for name in ("notes.txt", "clip.mp4", ".hidden.jpg", "Thumbs.db", "._2.heic"):
        (tmp_path / name).write_bytes(b"no picture")
    (tmp_path / "more").mkdir()

    listed = list_pictures(tmp_path)

    assert [path.name for path in listed.paths] == ["2.heic", "3.dat", "10.JFIF"]
    assert listed.warning == (
        f"3 other entries in the folder {tmp_path} are no pictures and were left out: clip.mp4, more, notes.txt"
    )
    pictures, _, warning = read_all(tmp_path)
    assert len(pictures) == 3
    assert warning == listed.warning


def test_folder_without_a_picture_says_what_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(SourceRejected, match="holds no picture: it is empty"):
        list_pictures(tmp_path)
    (tmp_path / "inside").mkdir()
    with pytest.raises(SourceRejected, match="1 other entry: inside; pictures in the folders inside it are not read"):
        list_pictures(tmp_path)


def test_source_of_animations_and_stills_goes_on_where_another_one_stopped(tmp_path: Path) -> None:
    shown = [Image.fromarray(patches(seed)) for seed in range(3)]
    shown[0].save(tmp_path / "1.png")
    shown[0].save(tmp_path / "2.gif", save_all=True, append_images=shown[1:], duration=[50, 60, 70])
    shown[2].save(tmp_path / "3.png")
    whole = list(iter(ImageSource(tmp_path, start_ns=7).read, None))
    assert [item.captured_at_ns - 7 for item in whole] == [
        milliseconds * 1_000_000 for milliseconds in (0, 1000, 1050, 1110, 1180)
    ]

    for read, item in enumerate(whole, start=1):
        successor = ImageSource(tmp_path, start_ns=7)
        assert successor.resume(item.position)
        rest = list(iter(successor.read, None))
        assert [one.captured_at_ns for one in rest] == [one.captured_at_ns for one in whole[read:]]
        assert all(np.array_equal(a.image_bgr, b.image_bgr) for a, b in zip(rest, whole[read:], strict=True))
    assert not ImageSource(tmp_path, start_ns=7).resume((0, 0, 1, 12345))
