"""From a picture to what is published of it: decided, sized, encoded or only marked, and given to the publisher."""

from __future__ import annotations

import logging
import random
import time

from ingest.gate.frame_selector import Attention
from ingest.gate.gating import Verdict
from ingest.publishing.publisher import Publisher
from ingest.publishing.sizing import SizeLimit
from ingest.sources import Picture
from posebus.backoff import Backoff
from posebus.bus.checkpoint import Checkpoint
from posebus.telemetry.metrics import Metrics

PLAN_PAUSE_S = (0.004, 0.05)
"""Shortest and longest pause between two looks for a plan that is waited for."""
TELL_AFTER_S = 10.0
"""A tracker that is there has long answered by then."""

log = logging.getLogger("posebus.ingest")


class Admission:
    """Of one camera's pictures."""

    def __init__(
        self, camera: str, attention: Attention, publisher: Publisher, size_limit: SizeLimit, metrics: Metrics
    ) -> None:
        self.attention = attention
        self._camera = camera
        self._publisher = publisher
        self._size_limit = size_limit
        self._metrics = metrics
        self._pauses = Backoff(*PLAN_PAUSE_S, random.Random())
        self._waits_since_s: float | None = None
        self._told = False

    def begin_epoch(self, now_s: float) -> None:
        """The next picture is the first of a new run of the source. Raises what opening it in the broker raises."""
        self._size_limit.begin_epoch(now_s)
        self._publisher.open_epoch(self._size_limit.begun_px)
        self.attention.begin_epoch(self._publisher.epoch)

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on behind a checkpoint of another process."""
        self._size_limit.resume(checkpoint.max_size_px)
        try:
            self.attention.load(checkpoint.attention)
        except ValueError as error:
            log.warning("camera %s: what was remembered of it cannot be read (%s)", self._camera, error)

    def admit(self, picture: Picture, now_s: float) -> bool:
        """Give the picture, or its mark, to the publisher; False where that waits for the camera's tracker, after a
        pause. Raises BadPicture for one that cannot travel."""
        verdict = self._judge(picture, now_s) if self.attention.active else Verdict()
        if verdict is None:
            return False
        began_s = time.perf_counter()
        if verdict.reason is not None:
            self._publisher.accept_unseen(picture, verdict.reason)
            self._metrics.count("posebus_frames_uninferred_total", reason=verdict.reason)
            return True
        self._publisher.accept(picture, self._size_limit.of(verdict.views, now_s), verdict.views)
        self._metrics.observe("posebus_stage_seconds", time.perf_counter() - began_s, stage="encode")
        return True

    def _judge(self, picture: Picture, now_s: float) -> Verdict | None:
        began_s = time.perf_counter()
        seq = self._publisher.seq
        verdict = self.attention.judge(picture, seq)
        if verdict is None:
            self._wait(now_s)
            return None
        self._waits_since_s, self._told = None, False
        self._pauses.reset()
        self.attention.accepted(verdict, seq, picture.captured_at_ns)
        self._publisher.attend(self.attention.to_bytes())
        self._metrics.observe("posebus_stage_seconds", time.perf_counter() - began_s, stage="motion")
        return verdict

    def _wait(self, now_s: float) -> None:
        if self._waits_since_s is None:
            self._waits_since_s = now_s
        if now_s - self._waits_since_s > TELL_AFTER_S and not self._told:
            self._told = True
            log.warning("camera %s waits for its tracker to say what comes next: does one run?", self._camera)
        time.sleep(self._pauses.next_s())
