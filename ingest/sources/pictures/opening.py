"""Open a picture file of any kind: its pictures one by one, upright, as BGR. Sizes are checked before decoding.

Pillow's readers are called by kind: `Image.open` would ask all of them, some of which start other programs, and
ultralytics replaces that function by one that installs packages.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import simplejpeg
from PIL import Image

from ingest.sources.decoding.pixels import MAX_PIXELS, MAX_SIDE_PX, BgrImage
from ingest.sources.pictures.kinds import HEAD_BYTES, boxes_are_cut_off, is_video, jpeg_layout, picture_kind
from ingest.sources.pictures.orientation import upright
from posebus.arrays import UInt8Array
from posebus.config.local_files import check_readable
from posebus.errors import BadPicture, PoseBusError

READERS = {
    "JPEG": "PIL.JpegImagePlugin",
    "PNG": "PIL.PngImagePlugin",
    "GIF": "PIL.GifImagePlugin",
    "WEBP": "PIL.WebPImagePlugin",
    "AVIF": "PIL.AvifImagePlugin",
    "TIFF": "PIL.TiffImagePlugin",
    "BMP": "PIL.BmpImagePlugin",
    "PPM": "PIL.PpmImagePlugin",
    "JPEG2000": "PIL.Jpeg2KImagePlugin",
}
"""The module of Pillow that reads each kind. HEIF is read by pillow-heif."""
ANIMATED = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
"""Kinds whose pictures follow each other in time. The further pictures of other kinds are previews, depths and views
from elsewhere, but for the pages of a TIFF."""
SHORTEST_MS = 20.0
DEFAULT_MS = 100.0
"""Browsers and FFmpeg show a picture of an animation for 100 ms where its file says less than 20 ms."""
MAX_WHOLE_BYTES = 1 << 30
"""Kinds that are read into memory as a whole are refused above this size."""
READ_WHOLE = frozenset({"HEIF", "AVIF", "WEBP", "JPEG", "JPEG2000"})
MAX_SCANS = 100
"""A progressive JPEG of a few kilobytes could otherwise contain scans that keep a core busy for hours."""
SUBFILE_TYPE, REDUCED_OR_MASK = 254, 1 | 4
"""A TIFF page is no picture of its own if it is a preview or a mask of another one (TIFF 6.0, NewSubfileType)."""
DEEP_GREY = ("I", "I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True, slots=True)
class FilePicture:
    """One picture of a file. `duration_ns` is how long an animation shows it, None for a still picture or a page."""

    image_bgr: BgrImage
    duration_ns: int | None


class PictureFile:
    """An open picture file of `count` pictures; more than one in an animation and in a TIFF of several pages."""

    def __init__(self, path: Path, kind: str, image: Any, numbers: range | list[int]) -> None:
        """`image` is Pillow's or pillow-heif's, and `numbers` are the positions in it of the pictures."""
        self.count = len(numbers)
        self._path = path
        self._kind = kind
        self._image = image
        self._numbers = numbers

    def read(self, index: int) -> FilePicture:
        """Return the picture of this index, which costs least in order. Raises BadPicture."""
        with _damage(self._path, self._kind):
            if self._kind == "HEIF":
                # libheif turns and mirrors pictures as their boxes say; EXIF data are no second instruction.
                return FilePicture(_bgr(self._image.to_pillow(), self._path), None)
            image = self._image
            image.seek(self._numbers[index])
            check_size(image.size, self._path)
            if self._kind == "JPEG" and (rows := _jpeg_rows(self._path, image)) is not None:
                return FilePicture(upright(rows, image), None)
            image.load()
            return FilePicture(upright(_bgr(image, self._path), image), self._duration_ns())

    @property
    def is_animation(self) -> bool:
        """Whether the pictures follow each other in time."""
        return self.count > 1 and self._kind in ANIMATED

    def _duration_ns(self) -> int | None:
        if not self.is_animation:
            return None
        duration_ms = float(self._image.info.get("duration") or 0.0)
        return round(1e6 * (duration_ms if duration_ms >= SHORTEST_MS else DEFAULT_MS))


@contextmanager
def open_picture(path: Path) -> Iterator[PictureFile]:
    """Open the picture file `path`; reads no pixel yet.

    Raises SourceRejected if it is missing, unreadable or empty; BadPicture if it is no picture, is damaged, or its
    first picture is too large.
    """
    check_readable(path)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        kind = picture_kind(head)
        if kind is None:
            raise _no_picture(path, head)
        if kind in READ_WHOLE and path.stat().st_size > MAX_WHOLE_BYTES:
            raise BadPicture(f"{path} is larger than {MAX_WHOLE_BYTES >> 30} GiB, which no {kind} picture needs")
        file.seek(0)
        with _damage(path, kind):
            opened = _open_heif(path, file) if kind == "HEIF" else _open_with_pillow(path, kind, file)
        yield opened


def check_size(size_px: tuple[int, int], path: Path) -> None:
    """Raise BadPicture if a picture of this (width, height) has too many pixels, a side that is too long, or none."""
    width, height = size_px
    if width * height > MAX_PIXELS:
        raise BadPicture(
            f"{path} has {width}x{height} pixels ({width * height / 1e6:.0f} megapixels), more than "
            f"{MAX_PIXELS / 1e6:.0f} megapixels; reduce it first"
        )
    if max(size_px) > MAX_SIDE_PX:
        raise BadPicture(f"{path} is {width}x{height} pixels, and no side may exceed {MAX_SIDE_PX}; cut it first")
    if min(size_px) < 1:
        raise BadPicture(f"{path} has no pixels ({width}x{height})")


def _no_picture(path: Path, head: bytes) -> BadPicture:
    if is_video(head):
        return BadPicture(f"{path} is a video and no picture: give the file itself to `posebus run`")
    return BadPicture(f"{path} is not a picture in a known format")


def pillow_image(file: BinaryIO, kind: str, name: str = "") -> Any:
    """Return Pillow's image of a file of this kind (of READERS); reads its header alone.

    Raises the errors of Pillow for a damaged one.
    """
    importlib.import_module(READERS[kind])  # enters the reader into Pillow's table
    factory: Any = Image.OPEN[kind][0]
    return factory(file, name)


def _open_with_pillow(path: Path, kind: str, file: BinaryIO) -> PictureFile:
    image = pillow_image(file, kind, str(path))
    check_size(image.size, path)
    if image.info.get("progressive"):
        _check_scans(path)
    return PictureFile(path, kind, image, _numbers(image, kind, path))


def _numbers(image: Any, kind: str, path: Path) -> range | list[int]:
    count = getattr(image, "n_frames", 1)
    if kind == "TIFF":
        pages = [number for number in range(count) if not _is_preview(image, number)]
        if not pages:
            raise BadPicture(f"{path} holds only previews of a picture, as raw files do; export it as JPEG first")
        image.seek(pages[0])
        return pages
    if kind not in ANIMATED or count < 2:
        return range(1)
    # Programs without animations show another picture of a PNG, which is not part of the animation.
    first = 1 if image.info.get("default_image") else 0
    return range(first, count)


def _is_preview(image: Any, number: int) -> bool:
    image.seek(number)
    return bool(int(image.tag_v2.get(SUBFILE_TYPE, 0)) & REDUCED_OR_MASK)


def _open_heif(path: Path, file: BinaryIO) -> PictureFile:
    try:
        import pillow_heif
    except ImportError as error:
        raise BadPicture(
            f"{path} is a HEIC picture, for which pillow-heif is missing: "
            "pip install '.[ingest]' in the checkout of posebus"
        ) from error
    if boxes_are_cut_off(file, path.stat().st_size):
        raise BadPicture(f"{path} is cut off (HEIF); copy it again")
    file.seek(0)
    image = pillow_heif.open_heif(file)
    check_size(image.size, path)
    return PictureFile(path, "HEIF", image, range(1))


def _check_scans(path: Path) -> None:
    scans = jpeg_layout(path.read_bytes()).scans
    if scans > MAX_SCANS:
        raise BadPicture(f"{path} is a JPEG of {scans} scans, more than {MAX_SCANS}; save it again without them")


def _jpeg_rows(path: Path, image: Any) -> BgrImage | None:
    """Return the rows of a JPEG file without the slightest defect, (H, W, 3) uint8; None if Pillow has to judge it.

    Both call libjpeg, but Pillow's way to rows of BGR takes twice as long.
    """
    if image.mode not in ("RGB", "L"):
        return None
    try:
        rows: BgrImage = simplejpeg.decode_jpeg(path.read_bytes(), "BGR")
    except ValueError:
        return None
    return rows if rows.shape[1::-1] == image.size else None


def _bgr(image: Any, path: Path) -> BgrImage:
    """Return the rows of a Pillow image, (H, W, 3) uint8; transparency is ignored, as by Pillow's `convert`."""
    if image.mode in DEEP_GREY:
        return _grey_to_bgr(_eight_bits(np.asarray(image), path))
    if image.mode == "F":
        raise BadPicture(f"{path} has pixels of floating point, whose range is unknown; save it with 8 or 16 bits")
    rgb = image if image.mode == "RGB" else image.convert("RGB")  # to the same mode, it would copy
    bgr: BgrImage = cv2.cvtColor(np.asarray(rgb), cv2.COLOR_RGB2BGR)
    return bgr


def _eight_bits(values: np.ndarray[Any, Any], path: Path) -> UInt8Array:
    """Return the upper 8 of 16 bits."""
    if values.dtype.itemsize > 2 and (values.min() < 0 or values.max() > np.iinfo(np.uint16).max):
        raise BadPicture(f"{path} has pixels of 32 bits, whose range is unknown; save it with 8 or 16 bits")
    return (values >> 8).astype(np.uint8)


def _grey_to_bgr(grey: UInt8Array) -> BgrImage:
    bgr: BgrImage = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    return bgr


@contextmanager
def _damage(path: Path, kind: str) -> Iterator[None]:
    """Turn the errors that a reader raises for a damaged file into BadPicture, and suppress its warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except PoseBusError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        if "truncated" in reason.lower() or isinstance(error, EOFError):
            raise BadPicture(f"{path} is cut off ({kind}); copy it again") from error
        raise BadPicture(f"{path} cannot be decoded as a picture ({kind}); it may be damaged: {reason}") from error
