"""The connection to one source: open, broken, or to be tried again after a pause."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from ingest.reading.losses import Losses
from ingest.reading.reader import Reader
from ingest.sources import Source, is_live
from posebus.backoff import Backoff
from posebus.bus.checkpoint import Checkpoint
from posebus.config.settings import CameraSettings
from posebus.errors import LoginRefused, SourceUnavailable
from posebus.telemetry.metrics import Metrics

STUCK_FACTOR = 4.0
"""A reader in which nothing moved for this many times its longest timeout hangs in a library: no timeout works.

As long as the first key frame may take."""

log = logging.getLogger("posebus.ingest")

OpenSource = Callable[[CameraSettings], Source]


class Connection:
    """At most one at a time. `losses` are those of all that there were."""

    def __init__(
        self, camera: str, settings: CameraSettings, opener: OpenSource, metrics: Metrics, rng: random.Random
    ) -> None:
        self.reader: Reader | None = None
        self.losses = Losses()
        self._camera = camera
        self._settings = settings
        self._opener = opener
        self._metrics = metrics
        self._backoff = Backoff(settings.reconnect_min_s, settings.reconnect_max_s, rng)
        self._retry_at_s = 0.0

    def pause_s(self, now_s: float) -> float:
        """How long to wait before the next attempt."""
        return max(0.0, self._retry_at_s - now_s)

    def open(self, resume: Checkpoint | None) -> None:
        """Begin to read, behind `resume` where that is given."""
        self.reader = Reader(
            lambda: self._opener(self._settings),
            name=self._camera,
            max_fps=self._settings.max_fps,
            live=is_live(self._settings),
            metrics=self._metrics,
            resume=resume,
        )

    def works(self) -> None:
        """A picture came: the next trouble is a new one."""
        self._backoff.reset()

    def failed(self, error: SourceUnavailable, now_s: float) -> None:
        """Give it up, and wait: as long as at all where the login is refused, or the camera might lock the account."""
        self.drop()
        refused = isinstance(error, LoginRefused)
        self._retry_at_s = now_s + (self._backoff.longest_s() if refused else self._backoff.next_s())

    def drop(self, timeout_s: float = 0.0) -> None:
        """Hang up. A reader that does not end within `timeout_s` is left behind: it ends with the process."""
        if self.reader is not None:
            self.losses.add(self.reader.lost)
            if not self.reader.stop(timeout_s) and timeout_s:
                log.info("camera %s: its reader did not end in time", self._camera)
        self.reader = None

    def lost(self, unsent: int) -> dict[str, int]:
        """All losses by reason; see `Losses.totals`."""
        return self.losses.totals(self.reader.lost if self.reader else {}, unsent)

    def healthy(self, now_s: float) -> bool:
        """Whether the reader does not hang; may be asked from another thread."""
        reader = self.reader
        limit_s = STUCK_FACTOR * max(self._settings.open_timeout_s, self._settings.read_timeout_s)
        return reader is None or reader.silent_s(now_s) < limit_s
