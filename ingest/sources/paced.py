"""A recording played at its own pace, as a camera would deliver it."""

from __future__ import annotations

import time
from collections.abc import Callable

from ingest.sources.base import Admit, CapturedImage, Seekable, Source, SourcePosition
from ingest.sources.pacing import RealtimePacer


class PacedSource:
    """Delays the pictures of another source until they are due by their capture times.

    All other properties are those of that source.
    """

    def __init__(
        self,
        source: Source,
        *,
        max_wait_s: float | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        """See `RealtimePacer` for `max_wait_s`. The clock can be replaced in tests."""
        self._source = source
        self._pacer = RealtimePacer(max_wait_s)
        self._monotonic_s = monotonic_s
        self._sleep_s = sleep_s

    @property
    def live(self) -> bool:
        """See `Source.live`."""
        return self._source.live

    @property
    def fps(self) -> float | None:
        """See `Source.fps`."""
        return self._source.fps

    @property
    def frame_count(self) -> int | None:
        """See `Source.frame_count`."""
        return self._source.frame_count

    @property
    def warning(self) -> str | None:
        """See `Source.warning`."""
        return self._source.warning

    @property
    def lost(self) -> int:
        """See `Source.lost`."""
        return self._source.lost

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`; waits until the picture is due."""
        picture = self._source.read(admit)
        if picture is not None:
            wait_s = self._pacer.wait_s(picture.captured_at_ns, self._monotonic_s())
            if wait_s > 0:
                self._sleep_s(wait_s)
        return picture

    def resume(self, position: SourcePosition) -> bool:
        """See `Seekable.resume`; False if the inner source cannot seek."""
        return isinstance(self._source, Seekable) and self._source.resume(position)

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()
