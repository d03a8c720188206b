"""The connection to one source: open, failed, or waiting for the next attempt."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from ingest.reading.losses import Losses
from ingest.reading.reader import Reader
from ingest.sources import CapturedImage, Source
from posebus.backoff import Backoff
from posebus.bus.checkpoint import Checkpoint
from posebus.config.settings import CameraSettings
from posebus.errors import LoginRefused, SourceRejected, SourceUnavailable
from posebus.logs.about import about
from posebus.telemetry.metrics import Metrics

STUCK_FACTOR = 4.0
"""A reader without progress for this many times its longest timeout hangs in a library, where no timeout works.

The first key frame may take as long."""

log = logging.getLogger("posebus.ingest")

OpenSource = Callable[[CameraSettings], Source]


class Connection:
    """Holds at most one open reader of a camera, and the picture that was taken from it last until it is `done`."""

    def __init__(
        self,
        camera: str,
        settings: CameraSettings,
        opener: OpenSource,
        *,
        live: bool,
        metrics: Metrics,
        losses: Losses,
        rng: random.Random,
    ) -> None:
        """`rng` draws the jitter of the pauses between attempts."""
        self.reader: Reader | None = None
        self._camera = camera
        self._settings = settings
        self._opener = opener
        self._live = live
        self._metrics = metrics
        self._losses = losses
        self._backoff = Backoff(settings.reconnect_min_s, settings.reconnect_max_s, rng)
        self._retry_at_s = 0.0
        self._taken: CapturedImage | None = None

    def pause_s(self, now_s: float) -> float:
        """Return how long to wait before the next attempt to connect."""
        return max(0.0, self._retry_at_s - now_s)

    def open(self, resume: Checkpoint | None) -> None:
        """Start to read, after the picture of `resume` if that is given."""
        reader = Reader(
            lambda: self._opener(self._settings),
            name=self._camera,
            max_fps=self._settings.max_fps,
            live=self._live,
            metrics=self._metrics,
            resume=resume,
        )
        self._losses.attach(lambda: reader.lost)
        self.reader = reader

    def take(self, timeout_s: float) -> CapturedImage | None:
        """Return the next picture, or again the last one if it is not `done`; None if none came in time.

        The connection has to be open. Raises the error of the source.
        """
        if self._taken is None and self.reader is not None:
            self._taken = self.reader.take(timeout_s)
        return self._taken

    def done(self) -> None:
        """The picture that was taken last is published or given up."""
        self._taken = None

    def works(self) -> None:
        """A picture came, so the next failure starts with the shortest pause again."""
        self._backoff.reset()

    def failed(self, error: SourceUnavailable | SourceRejected, now_s: float) -> None:
        """Disconnect and schedule the next attempt.

        After a refused login the pause is the longest one, because cameras lock accounts that are tried too often.
        """
        self.drop()
        refused = isinstance(error, LoginRefused)
        self._retry_at_s = now_s + (self._backoff.longest_s() if refused else self._backoff.next_s())

    def drop(self, timeout_s: float = 0.0) -> None:
        """Disconnect. A reader that does not end within `timeout_s` is left behind: it ends with the process."""
        self._taken = None
        if self.reader is not None:
            self._losses.detach()
            if not self.reader.stop(timeout_s) and timeout_s:
                log.info("camera %s: its reader did not end in time", self._camera, extra=about(self._camera))
        self.reader = None

    def rates(self, now_s: float) -> tuple[float | None, float | None]:
        """Return the pictures a second that the open source sends and that it says it sends; None without it."""
        reader = self.reader
        return (None, None) if reader is None else (reader.sent_fps(now_s), reader.nominal_fps)

    def healthy(self, now_s: float) -> bool:
        """Return whether the reader makes progress; may be called from another thread."""
        reader = self.reader
        limit_s = STUCK_FACTOR * max(self._settings.open_timeout_s, self._settings.read_timeout_s)
        return reader is None or reader.silent_s(now_s) < limit_s
