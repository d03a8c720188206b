"""Sources as a user gives them on a command line: a name for each, and one good picture of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2

from ingest.sources import CapturedImage, Source, open_source, source_spec
from posebus.config.redaction import redact_known, redact_url
from posebus.config.settings import CameraSettings
from posebus.errors import LoginRefused, PoseBusError, SourceRejected, SourceUnavailable
from posebus.runtime.failures import in_one_sentence
from posebus.square_pixels import square_size_px
from recordings.inputs import UniqueNames
from recordings.inputs.time_limit import within
from recordings.live.naming import source_name
from recordings.results.draw import Image

LIMIT_S = 30.0
"""A source that gives no picture for so long is given up; its own timeouts are shorter."""
RETRY_S = 0.5
MOST_PICTURES = 8
"""The sharpest of so many pictures is taken: cameras move, and a USB camera first adapts to the light."""
MOST_EMPTY = 250
"""So many pictures of one colour are passed over: films begin black, and cameras with a grey picture."""
LONGEST_LOOK_S = 1.5
SLOW_FPS = 4.0
"""A source with fewer pictures a second gives its first good one."""
LEAST_CONTRAST = 4.0
"""Standard deviation of the grey levels, of 256, below which a picture shows nothing."""
LOOKED_AT_PX = 320


@dataclass(frozen=True, slots=True)
class Look:
    """One picture of a source: BGR (H, W, 3) in square pixels, when it was captured (ns), and the source's rate."""

    image_bgr: Image
    captured_at_ns: int
    fps: float | None

    @property
    def size_px(self) -> tuple[int, int]:
        """Its (width, height)."""
        return self.image_bgr.shape[1], self.image_bgr.shape[0]


def is_recording(source: str) -> bool:
    """Return whether `source` is a file or folder on disk, rather than a camera or an address."""
    return source_spec(CameraSettings(source=source)).recorded


def unique_names(sources: Sequence[str], used: frozenset[str] = frozenset()) -> list[str]:
    """Return a name for each source, all different and none of those `used`."""
    names = UniqueNames(used)
    return [names.take(source_name(source)) for source in sources]


def look_at(settings: CameraSettings, limit_s: float = LIMIT_S) -> Look:
    """Return one good picture of the source.

    Raises SourceUnavailable and SourceRejected with one sentence, also if there is no picture within `limit_s`.
    """
    shown = redact_url(settings.source)
    try:
        found = within(limit_s, lambda: _look_twice(settings), "look at a source")
    except PoseBusError as error:
        raise type(error)(redact_known(str(error), settings.source)) from None
    except Exception as error:  # noqa: BLE001 - an error of a library becomes one sentence
        raise SourceRejected(in_one_sentence(error, about=shown)) from None
    if found is None:
        raise SourceUnavailable(f"{shown} gave no picture within {limit_s:g} s; check its address, power and network")
    return found


def _look_twice(settings: CameraSettings) -> Look:
    """Cameras sometimes refuse one connection and take the next; a login is shown only once."""
    try:
        return _look(settings)
    except LoginRefused:
        raise
    except SourceUnavailable:
        time.sleep(RETRY_S)
        return _look(settings)


def _look(settings: CameraSettings) -> Look:
    source = open_source(settings)
    try:
        best: CapturedImage | None = None
        sharpest = -1.0
        for picture in _good_ones(source):
            sharpness = _sharpness(picture)
            if sharpness > sharpest:
                best, sharpest = picture, sharpness
        if best is None:
            raise SourceRejected(f"{redact_url(settings.source)} holds no picture that can be decoded")
        image = best.image
        return Look(image.bgr(square_size_px(image.size_px, image.pixel_aspect)), best.captured_at_ns, source.fps)
    finally:
        source.close()


def _good_ones(source: Source) -> Iterator[CapturedImage]:
    """Yield the first pictures that show something; a single one if none does."""
    began_s = time.monotonic()
    wanted = 1 if source.fps is not None and source.fps < SLOW_FPS else MOST_PICTURES
    empty = None
    for _ in range(MOST_EMPTY):
        picture = source.read()
        if picture is None:
            break
        if _contrast(picture) >= LEAST_CONTRAST:
            yield picture
            wanted -= 1
        else:
            empty = empty or picture
        if wanted == 0 or (source.live and time.monotonic() - began_s > LONGEST_LOOK_S):
            break
    if wanted == MOST_PICTURES and empty is not None:
        yield empty


def _contrast(picture: CapturedImage) -> float:
    return float(_small_grey(picture).std())


def _sharpness(picture: CapturedImage) -> float:
    return float(cv2.Laplacian(_small_grey(picture), cv2.CV_32F).var())


def _small_grey(picture: CapturedImage) -> Image:
    width_px, height_px = picture.image.size_px
    scale = min(1.0, LOOKED_AT_PX / max(width_px, height_px))
    grey: Image = picture.image.grey((max(1, round(width_px * scale)), max(1, round(height_px * scale))))
    return grey
