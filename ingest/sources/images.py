"""Picture files and folders of them, as sources: still pictures, animations and pages, one after the other."""

from __future__ import annotations

import os
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path

from ingest.sources.base import Admit, CapturedImage, SourcePosition, SourceSpec
from ingest.sources.decoding.pixels import BgrImage, RowsImage
from ingest.sources.pictures.folder import SUFFIXES, list_pictures
from ingest.sources.pictures.kinds import HEAD_BYTES, is_jpeg_video, is_video, picture_kind
from ingest.sources.pictures.opening import PictureFile, open_picture
from posebus.config.local_files import check_readable, is_folder, local_path
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture, SourceRejected, SourceUnavailable
from posebus.messages import CaptureClock

DEFAULT_FPS = 1.0
PROBED_BYTES = 1 << 24
"""The first picture of an MJPEG file is shorter."""


def read_picture(path: Path) -> BgrImage:
    """Return the picture at `path` as (H, W, 3) uint8 BGR, upright by its EXIF orientation; of several the first.

    Raises SourceRejected if the file is missing, unreadable or empty; BadPicture if it is no picture, is damaged or cut
    off, or is too large.
    """
    with open_picture(path) as opened:
        return opened.read(0).image_bgr


class ImageSource:
    """Pictures in order: stills and pages at equal distances in time, animations with their own.

    Files that cannot be read are skipped with a warning if there are others.
    """

    def __init__(self, path: Path, *, live: bool = False, loop: bool = False, fps: float = DEFAULT_FPS, start_ns: int):
        """Raises SourceRejected if `path` is neither a picture nor a folder with pictures."""
        self.live = live
        self.fps: float | None = fps
        self.lost = 0
        self._loop = loop
        self._step_ns = round(1e9 / fps)
        listed = list_pictures(path)
        self._paths = listed.paths
        self._left_out = listed.warning
        self._problem: str | None = None
        self._delivered = 0
        self._index = 0
        self._skip = 0
        self._next_ns = start_ns
        self._admit: Admit | None = None
        self._pictures = self._all()
        self.frame_count = None if loop else self._count()

    @property
    def warning(self) -> str | None:
        """See `Source.warning`."""
        return "; ".join(filter(None, (self._problem, self._left_out))) or None

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`. Raises SourceRejected at the end if no picture could be read."""
        self._admit = admit
        return next(self._pictures, None)

    def resume(self, position: SourcePosition) -> bool:
        """See `Seekable.resume`."""
        if len(position) != 4:
            return False
        index, number, next_ns, name_hash = position
        if not 0 <= index < len(self._paths) or name_hash != _hash(self._paths[index]):
            return False
        self._index, self._skip, self._next_ns = index, number + 1, next_ns
        self._delivered = 1
        return True

    def close(self) -> None:
        """See `Source.close`."""
        self._pictures.close()
        self._paths = []

    def _all(self) -> Generator[CapturedImage]:
        last_error: str | None = None
        failed_in_a_row = 0
        while self._index < len(self._paths) or (self._loop and self._delivered > 0):
            path = self._paths[self._index % len(self._paths)]
            number = self._skip
            try:
                with open_picture(path) as opened:
                    while number < opened.count:
                        yield from self._picture(opened, number)
                        number += 1
                failed_in_a_row = 0
            except (BadPicture, SourceRejected) as error:
                last_error = str(error)
                self._note(last_error, number)
                failed_in_a_row += 1
                if self._loop and self._delivered and failed_in_a_row >= len(self._paths):
                    raise SourceUnavailable(last_error) from error  # or a loop would never end, without a picture
            self._index, self._skip = self._index + 1, 0
        if self._delivered == 0 and last_error is not None:
            raise SourceRejected(last_error)

    def _picture(self, opened: PictureFile, number: int) -> Iterator[CapturedImage]:
        """Yield the picture of this number if it is admitted, and move on in time."""
        captured_at_ns = self._next_ns
        admitted = self._admit is None or self._admit(captured_at_ns)
        if not admitted and not opened.is_animation:
            self._next_ns += self._step_ns
            return
        frame = opened.read(number)  # how long an animation shows it is known only now
        self._next_ns += frame.duration_ns or self._step_ns
        if not admitted:
            return
        self._delivered += 1
        yield CapturedImage(RowsImage(frame.image_bgr), captured_at_ns, CaptureClock.FILE, self._position(number))

    def _position(self, number: int) -> SourcePosition:
        # After an unreadable picture, a successor has to read it again, or the warning would be missing.
        if self.lost or self._loop:
            return ()
        return self._index, number, self._next_ns, _hash(self._paths[self._index])

    def _note(self, problem: str, read: int) -> None:
        """A file could not be read, or not further than its first pictures; the time of one picture stays empty."""
        self.lost += 1
        self._next_ns += self._step_ns
        rest = f" (after {read} of its pictures)" if read else ""
        self._problem = f"{self.lost} of the pictures could not be read; the last one: {problem}{rest}"

    def _count(self) -> int:
        """Return the number of pictures, of a folder that of its files; an animation alone gives its rate as well."""
        if len(self._paths) > 1:
            return len(self._paths)
        try:
            with open_picture(self._paths[0]) as opened:
                if opened.is_animation:
                    self.fps = 1e9 / (opened.read(0).duration_ns or self._step_ns)
                return opened.count
        except (BadPicture, SourceRejected):
            return 1  # the error comes when it is read


def open_images(settings: CameraSettings, *, live: bool) -> ImageSource:
    """Open the picture or folder that `settings.source` names, at `max_fps` (else 1) pictures a second."""
    return ImageSource(
        local_path(settings.source),
        live=live,
        loop=settings.loop,
        fps=settings.max_fps or DEFAULT_FPS,
        start_ns=settings.recorded_at_ns or 0,
    )


def is_picture(source: str) -> bool:
    """Return whether `source` is a folder, or a file that begins as a picture does; its name decides in doubt only.

    A file that is missing or cannot be read is judged by its name, too.
    """
    path = local_path(source)
    if is_folder(path):
        return True
    named_as_picture = path.suffix.lower() in SUFFIXES
    try:
        check_readable(path)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            kind = picture_kind(head)
            if kind == "JPEG" and not named_as_picture:
                return not is_jpeg_video(head + file.read(PROBED_BYTES))
    except (SourceRejected, OSError):
        return named_as_picture
    return kind is not None or (named_as_picture and not is_video(head))


def check_images(settings: CameraSettings) -> None:
    """Raise SourceRejected if there is no such picture, or no picture in the folder."""
    list_pictures(local_path(settings.source))


SPEC = SourceSpec(kind="images", recognises=is_picture, open=open_images, recorded=True, check=check_images)


def _hash(path: Path) -> int:
    return zlib.crc32(os.fsencode(path.name))
