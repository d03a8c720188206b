"""Single pictures and folders of pictures. Sizes are checked in the header, before decoding."""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from ingest.sources.base import Admit, CapturedImage, SourcePosition, SourceSpec
from ingest.sources.decoding.pixels import MAX_PIXELS, BgrImage, RowsImage
from ingest.sources.file import check_readable
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture, SourceRejected
from posebus.messages import CaptureClock

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
DEFAULT_FPS = 1.0
START_OF_SCAN = b"\xff\xda"
END_OF_IMAGE = b"\xff\xd9"


def read_picture(path: Path) -> BgrImage:
    """Return the picture at `path` as (H, W, 3) uint8 BGR, upright by its EXIF orientation.

    Raises SourceRejected if the file is missing, unreadable or empty; BadPicture if it is no picture, is cut off, or
    has more than 50 megapixels.
    """
    check_readable(path)
    data = path.read_bytes()
    width, height, kind = _header(data, path)
    if width * height > MAX_PIXELS:
        megapixels = width * height / 1e6
        raise BadPicture(
            f"{path} has {width}x{height} pixels ({megapixels:.0f} megapixels), more than {MAX_PIXELS / 1e6:.0f} "
            "megapixels; reduce it first"
        )
    if kind == "JPEG" and data.rfind(END_OF_IMAGE) < data.rfind(START_OF_SCAN):
        # libjpeg would fill the missing part with grey and only warn.
        raise BadPicture(f"{path} is cut off: its JPEG data has no end; copy it again")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise BadPicture(f"{path} cannot be decoded as a picture ({kind})") from error
    if image is None:
        raise BadPicture(f"{path} cannot be decoded as a picture ({kind}); it may be damaged")
    picture: BgrImage = image
    return picture


class ImageSource:
    """Pictures in order at equal distances in time. A bad picture among several is skipped with a warning."""

    def __init__(self, path: Path, *, live: bool = False, loop: bool = False, fps: float = DEFAULT_FPS, start_ns: int):
        """Raises SourceRejected if `path` is neither a picture nor a folder with pictures."""
        self.live = live
        self.fps: float | None = fps
        self.warning: str | None = None
        self._loop = loop
        self._start_ns = start_ns
        self._paths = list_pictures(path)
        self.frame_count = None if loop else len(self._paths)
        self._index = 0
        self._last_error: str | None = None
        self.lost = 0
        self._delivered = 0

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`. Raises SourceRejected at the end if no picture could be read."""
        while self._index < len(self._paths) or self._plays_again():
            path = self._paths[self._index % len(self._paths)]
            captured_at_ns = self._time_ns(self._index)
            self._index += 1
            if admit is not None and not admit(captured_at_ns):
                continue
            try:
                image = read_picture(path)
            except (BadPicture, SourceRejected) as error:
                self._note(str(error))
                continue
            self._delivered += 1
            # After an unreadable picture, a successor has to read it again, or the warning would be missing.
            position = () if self.lost or self._loop else (self._index, captured_at_ns)
            return CapturedImage(RowsImage(image), captured_at_ns, CaptureClock.FILE, position)
        if self._delivered == 0 and self._last_error is not None:
            raise SourceRejected(self._last_error)
        return None

    def resume(self, position: SourcePosition) -> bool:
        """See `Seekable.resume`."""
        if len(position) != 2:
            return False
        read, captured_at_ns = position
        if not 0 < read <= len(self._paths) or captured_at_ns != self._time_ns(read - 1):
            return False
        self._index = self._delivered = read
        return True

    def close(self) -> None:
        """See `Source.close`; no file is open between two pictures."""
        self._paths = []

    def _time_ns(self, index: int) -> int:
        return self._start_ns + round(index * 1e9 / (self.fps or DEFAULT_FPS))

    def _plays_again(self) -> bool:
        return self._loop and bool(self._paths) and self._delivered > 0

    def _note(self, problem: str) -> None:
        self.lost += 1
        self._last_error = problem
        self.warning = f"{self.lost} of the pictures could not be read; the last one: {problem}"


def list_pictures(path: Path) -> list[Path]:
    """Return `path` itself, or the pictures in the folder `path` in natural order (2 before 10).

    Raises SourceRejected if there is none.
    """
    if not path.is_dir():
        check_readable(path)
        return [path]
    try:
        found = [entry for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES and entry.is_file()]
    except OSError as error:
        raise SourceRejected(f"the folder {path} cannot be read: {error.strerror}") from error
    if not found:
        raise SourceRejected(f"the folder {path} holds no picture ({', '.join(sorted(SUFFIXES))})")
    return sorted(found, key=lambda entry: natural_key(entry.name))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key with numbers by value and letters without case; the name itself breaks ties."""
    parts = re.split(r"([0-9]+)", name)
    key = [(0, int(part), "") if index % 2 else (1, 0, part.casefold()) for index, part in enumerate(parts)]
    return [*key, (2, 0, name)]


def open_images(settings: CameraSettings, *, live: bool) -> ImageSource:
    """Open the picture or folder that `settings.source` names, at `max_fps` (else 1) pictures a second."""
    return ImageSource(
        Path(settings.source.removeprefix("file://")),
        live=live,
        loop=settings.loop,
        fps=settings.max_fps or DEFAULT_FPS,
        start_ns=settings.recorded_at_ns or 0,
    )


def _is_picture(source: str) -> bool:
    path = Path(source.removeprefix("file://"))
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def check_images(settings: CameraSettings) -> None:
    """Raise SourceRejected if there is no such picture, or no picture in the folder."""
    list_pictures(Path(settings.source.removeprefix("file://")))


SPEC = SourceSpec(kind="images", recognises=_is_picture, open=open_images, recorded=True, check=check_images)


def _header(data: bytes, path: Path) -> tuple[int, int, str]:
    """Return width, height and format from the first bytes; Pillow reads no pixel here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our limit is lower
            with Image.open(BytesIO(data)) as image:
                return image.width, image.height, image.format or "unknown"
    except Image.DecompressionBombError as error:
        raise BadPicture(f"{path} has more than {MAX_PIXELS / 1e6:.0f} megapixels; reduce it first") from error
    # ImportError: if ultralytics is loaded, it has replaced Image.open and imports a further decoder.
    except (UnidentifiedImageError, ImportError, OSError, ValueError, SyntaxError) as error:
        raise BadPicture(f"{path} is not a picture in a known format") from error
