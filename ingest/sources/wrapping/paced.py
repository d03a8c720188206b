"""A recording played at its own pace, as a camera would deliver it."""

from __future__ import annotations

import time
from collections.abc import Callable

from ingest.sources.base import Admit, CapturedImage, Source
from ingest.sources.pacing import RealtimePacer
from ingest.sources.wrapping.wrapped import WrappedSource


class PacedSource(WrappedSource):
    """Delays the pictures of another source until they are due by their capture times."""

    def __init__(
        self,
        source: Source,
        *,
        max_wait_s: float | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        """See `RealtimePacer` for `max_wait_s`. The clock can be replaced in tests."""
        super().__init__(source)
        self._pacer = RealtimePacer(max_wait_s)
        self._monotonic_s = monotonic_s
        self._sleep_s = sleep_s

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`; waits until the picture is due."""
        picture = self._source.read(admit)
        if picture is not None:
            wait_s = self._pacer.wait_s(picture.captured_at_ns, self._monotonic_s())
            if wait_s > 0:
                self._sleep_s(wait_s)
        return picture
