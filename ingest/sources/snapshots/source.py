"""A camera whose address sends one picture: it is asked again at a rate."""

from __future__ import annotations

import time
from io import BytesIO

import numpy as np
import simplejpeg
from PIL import Image as PillowImage
from PIL import ImageOps

from ingest.sources.base import Admit, CapturedImage
from ingest.sources.clocks import ArrivalClock
from ingest.sources.decoding.mjpeg import JpegImage, whole_jpeg_size_px
from ingest.sources.decoding.pixels import MAX_PIXELS, Image, RowsImage
from ingest.sources.pacing import RateCap
from ingest.sources.pictures.kinds import HEAD_BYTES, picture_kind
from ingest.sources.pictures.opening import READERS, pillow_image
from ingest.sources.pictures.orientation import ORIENTATION
from ingest.sources.snapshots.fetching import Answer, PictureFetcher
from posebus.config.settings import CameraSettings
from posebus.errors import BadPicture, SourceUnavailable
from posebus.messages import CaptureClock

DEFAULT_FPS = 1.0
"""Requests a second without `max_fps`: cameras make a new picture for each, and many cannot do it often."""
LONGEST_TICK_S = 0.25
BAD_IN_A_ROW = 3
ANIMATED = frozenset({"GIF", "PNG", "WEBP"})
DAMAGE = (OSError, ValueError, SyntaxError, ImportError, EOFError)
"""What Pillow raises for damaged files."""


class SnapshotSource:
    """Pictures by one request each: for ever from a live camera, else a single one."""

    warning: str | None = None

    def __init__(self, settings: CameraSettings, fetcher: PictureFetcher, first: Answer, *, live: bool) -> None:
        """`first` is what `fetcher` got at the first request, which counts as the first picture."""
        self.live = live
        self.lost = 0
        self.is_animation = is_animation(first.body)
        self.fps: float | None = settings.max_fps or DEFAULT_FPS
        self.frame_count = None if live else 1
        self._fetcher = fetcher
        self._first: Answer | None = first
        self._ended = False
        self._cap = RateCap(self.fps)
        self._tick_s = min(LONGEST_TICK_S, 1 / self.fps, settings.read_timeout_s / 2)
        self._clock = ArrivalClock(time.time_ns(), time.monotonic_ns())
        self._bad = 0

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`; waits until the next picture is due. Raises SourceUnavailable."""
        while not self._ended:
            while not self._is_due(admit):
                time.sleep(self._tick_s)
            answer, self._first = self._first or self._fetcher.fetch(), None
            self._ended = not self.live
            if not answer.is_one_picture:
                raise SourceUnavailable(f"{self._fetcher.shown} sends something that is no picture")
            try:
                image = picture_of(answer.body)
            except BadPicture as problem:
                self._count_bad(problem)
                continue
            self._bad = 0
            return CapturedImage(image, self._now_ns(), CaptureClock.ARRIVAL)
        return None

    def close(self) -> None:
        """See `Source.close`; no connection is open between two pictures."""
        self._ended = True

    def _is_due(self, admit: Admit | None) -> bool:
        """Whether to ask for a picture now. Each call is a sign of life: a pause between two pictures is no silence."""
        now_ns = self._now_ns()
        due = self._cap.admit(now_ns)
        return (admit is None or admit(now_ns)) and due

    def _count_bad(self, problem: BadPicture) -> None:
        self.lost += 1
        self._bad += 1
        if self._bad >= BAD_IN_A_ROW or not self.live:
            raise SourceUnavailable(f"{self._fetcher.shown} sends pictures of no use: {problem}") from None

    def _now_ns(self) -> int:
        return self._clock.at(time.monotonic_ns())


def open_snapshot(settings: CameraSettings, *, live: bool) -> SnapshotSource | None:
    """Ask the address in `settings.source` once; None if it does not answer with one picture.

    Raises SourceUnavailable if it does not answer at all.
    """
    fetcher = PictureFetcher(settings)
    answer = fetcher.fetch()
    return SnapshotSource(settings, fetcher, answer, live=live) if answer.is_one_picture else None


def is_animation(body: bytes) -> bool:
    """Whether the file holds several pictures to be played (GIF, PNG, WebP), rather than versions of one (JPEG)."""
    kind = picture_kind(body[:HEAD_BYTES])
    try:
        return kind in ANIMATED and getattr(pillow_image(BytesIO(body), kind), "n_frames", 1) > 1
    except DAMAGE:
        return False


def picture_of(body: bytes) -> Image:
    """Return the picture in the bytes of a file, upright by its EXIF orientation; a JPEG stays undecoded.

    Raises BadPicture if they are no picture, cut off, or of more than 50 megapixels.
    """
    kind = picture_kind(body[:HEAD_BYTES])
    try:
        if kind not in READERS:
            raise ValueError("it is of no kind that is read here")
        picture = pillow_image(BytesIO(body), kind)
        _check_size(picture.size)
        size_px = whole_jpeg_size_px(body)
        if size_px is not None and _is_plain_jpeg(picture, body):
            return JpegImage(body, size_px)
        upright = ImageOps.exif_transpose(picture).convert("RGB")
        return RowsImage(np.ascontiguousarray(np.asarray(upright)[..., ::-1]))
    except DAMAGE as error:
        raise BadPicture("it cannot be decoded, or is cut off") from error


def _check_size(size_px: tuple[int, int]) -> None:
    width_px, height_px = size_px
    if width_px * height_px > MAX_PIXELS:
        raise BadPicture(f"it has {width_px}x{height_px} pixels, more than {MAX_PIXELS // 10**6} megapixels")


def _is_plain_jpeg(picture: PillowImage.Image, body: bytes) -> bool:
    """Whether every reader of JPEG files shows it as we do: usual colours, not turned, and complete."""
    if picture.mode not in ("RGB", "L") or picture.getexif().get(ORIENTATION, 1) != 1:
        return False
    try:
        simplejpeg.decode_jpeg(body, "GRAY", min_height=1, min_width=1)
    except ValueError:
        return False
    return True
