"""A recording played at its own pace, as a camera would deliver it."""

from __future__ import annotations

import time
from collections.abc import Callable

from ingest.pacing import RealtimePacer
from ingest.sources.base import Admit, Picture, Seekable, Source


class PacedSource:
    """Another source whose pictures are handed on when they are due by their capture times."""

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
        """As the inner source."""
        return self._source.live

    @property
    def fps(self) -> float | None:
        """As the inner source."""
        return self._source.fps

    @property
    def frame_count(self) -> int | None:
        """As the inner source."""
        return self._source.frame_count

    @property
    def warning(self) -> str | None:
        """As the inner source."""
        return self._source.warning

    @property
    def lost(self) -> int:
        """As the inner source."""
        return self._source.lost

    def read(self, admit: Admit | None = None) -> Picture | None:
        """See `Source.read`; waits until the picture is due."""
        picture = self._source.read(admit)
        if picture is not None:
            wait_s = self._pacer.wait_s(picture.captured_at_ns, self._monotonic_s())
            if wait_s > 0:
                self._sleep_s(wait_s)
        return picture

    def resume(self, place: tuple[int, ...]) -> bool:
        """As the inner source, if it can."""
        return isinstance(self._source, Seekable) and self._source.resume(place)

    def close(self) -> None:
        """Close the inner source."""
        self._source.close()
