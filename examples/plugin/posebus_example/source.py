"""The source `walk:N`: N pictures in which a bright figure walks from the left to the right."""

from __future__ import annotations

import numpy as np

from ingest.sources import Admit, CapturedImage, RowsImage, Source, SourceSpec
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected
from posebus.messages import CaptureClock

PREFIX = "walk:"
WIDTH_PX, HEIGHT_PX = 640, 480
FIGURE_PX = (60, 180)
FPS = 10.0


class WalkSource:
    """A recording of `frame_count` pictures. A camera has `live = True`, and stamps pictures with its own clock."""

    live = False
    warning: str | None = None
    lost = 0

    def __init__(self, frame_count: int) -> None:
        self.frame_count: int | None = frame_count
        self.fps: float | None = FPS
        self._count = frame_count
        self._next = 0
        self._background = np.random.default_rng(1).integers(20, 90, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """Return the next picture that `admit` wants by its capture time, or None at the end."""
        while self._next < self._count:
            number, self._next = self._next, self._next + 1
            captured_at_ns = round(number / FPS * 1e9)
            if admit is None or admit(captured_at_ns):
                return CapturedImage(RowsImage(self._picture(number)), captured_at_ns, CaptureClock.FILE)
        return None

    def close(self) -> None:
        """Nothing is open."""

    def _picture(self, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        picture = self._background.copy()
        width_px, height_px = FIGURE_PX
        left = round((WIDTH_PX - width_px) * number / max(1, self._count - 1))
        top = (HEIGHT_PX - height_px) // 2
        picture[top : top + height_px, left : left + width_px] = 240
        return picture


def open_walk(settings: CameraSettings, *, live: bool) -> Source:
    """Open the source that the settings name. SourceRejected: it can never work; SourceUnavailable: not now."""
    number = settings.source.removeprefix(PREFIX)
    if not number.isdecimal() or int(number) < 1:
        raise SourceRejected(f"{settings.source!r} is no walk: give the number of pictures, such as walk:100")
    return WalkSource(int(number))


SPEC = SourceSpec("walk", lambda source: source.startswith(PREFIX), open_walk, recorded=True)
