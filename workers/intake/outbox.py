"""The results that wait for their commit, and the commit itself."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter

from posebus.bus.frame_consumer import FrameConsumer, PoseResult
from posebus.logs.about import about
from posebus.messages import Frame, PoseFrame, Skipped
from posebus.runtime.shared_frames import SharedFrames
from posebus.telemetry.metrics import Metrics, age_s
from workers.intake.in_flight import InFlight
from workers.intake.letter_picture import with_viewable_picture

COMMIT_TOGETHER = 16
COMMIT_WAIT_S = 0.25
"""Results of recordings are not urgent, and several in one transaction cost a third of what they cost one by one."""
FULL_AT = 64

log = logging.getLogger("posebus.worker")


class Outbox:
    """Collects results and commits them with their acknowledgements. All methods are for the committing thread."""

    def __init__(
        self, consumer: FrameConsumer, in_flight: InFlight, shared: SharedFrames | None, metrics: Metrics
    ) -> None:
        self.inferred = 0
        """Frames with poses that were committed."""
        self.dead = 0
        """Entries that were sent to the dead letters."""
        self.skipped: Counter[str] = Counter()
        """Frames that were skipped, by reason."""
        self._consumer = consumer
        self._in_flight = in_flight
        self._shared = shared
        self._metrics = metrics
        metrics.count("posebus_dead_letters_total", 0)
        self._results: list[PoseResult] = []
        self._commit_at_s = math.inf

    def continue_counts(self, former: Outbox) -> None:
        """Count on from the outbox of the stage that this one's stage replaces."""
        self.inferred, self.dead, self.skipped = former.inferred, former.dead, Counter(former.skipped)

    @property
    def full(self) -> bool:
        """Whether the next results have to wait for a commit, so that they do not pile up while commits fail."""
        return len(self._results) >= FULL_AT

    @property
    def commit_at_s(self) -> float:
        """When the results have to be committed at the latest (monotonic); infinity if there are none."""
        return self._commit_at_s

    def add(self, result: PoseResult) -> None:
        """Queue a result; a dead letter gets a picture that can be viewed anywhere."""
        if not self._results:
            self._commit_at_s = time.monotonic() + COMMIT_WAIT_S
        if result.dead_reason is not None:
            result = with_viewable_picture(result, self._shared)
            self.dead += 1
            self._metrics.count("posebus_dead_letters_total")
            camera, body = result.entry.camera, result.entry.body
            where = about(camera, body.epoch, body.seq) if isinstance(body, Frame) else about(camera)
            log.warning("camera %s: a frame goes to the dead letters: %s", camera, result.dead_reason, extra=where)
        elif isinstance(result.body, Skipped):
            self.skipped[result.body.reason] += 1
            self._metrics.count("posebus_frames_skipped_total", reason=result.body.reason)
        self._results.append(result)

    def is_due(self, now_s: float, *, more_follow: bool) -> bool:
        """Whether to commit now: live results at once, lossless ones a few together, unless none follow."""
        results = self._results
        return bool(results) and (
            len(results) >= COMMIT_TOGETHER
            or now_s >= self._commit_at_s
            or not more_follow
            or any(result.live for result in results)
        )

    def commit(self) -> None:
        """Commit all results. Raises RetryableError; the results are then kept for the next call."""
        if not self._results:
            return
        began_s = time.monotonic()
        self._consumer.commit(self._results)
        # Not before: a commit that failed is repeated, and this worker must not reclaim these entries meanwhile.
        self._in_flight.release(result.entry for result in self._results)
        self._discard_shared()
        self._metrics.observe("posebus_stage_seconds", time.monotonic() - began_s, stage="commit")
        self._count_committed()
        self._results.clear()
        self._commit_at_s = math.inf

    def _discard_shared(self) -> None:
        """Free pictures in shared memory. Before the commit, another worker that reclaims the frame would need them."""
        for result in self._results:
            frame = result.entry.body
            if self._shared is not None and isinstance(frame, Frame) and frame.encoding == "shared":
                self._shared.discard(frame.data.decode())

    def _count_committed(self) -> None:
        now_ns = time.time_ns()
        for result in self._results:
            if not isinstance(result.body, PoseFrame) or result.provenance is None:
                continue
            self.inferred += 1
            self._metrics.count("posebus_frames_total")
            provenance = result.provenance
            age = age_s(result.body.captured_at_ns, provenance.frame_published_at_ns, provenance.clock, now_ns)
            self._metrics.observe("posebus_age_at_publish_seconds", age, stage="poses")
