"""Decide what becomes of a picture, and pass it to the publisher: encoded at its size, or as a mark only."""

from __future__ import annotations

import logging
import random
import time

from ingest.camera_motion.follower import MotionFollower
from ingest.gate.frame_selector import FrameSelector
from ingest.gate.gating import Verdict
from ingest.publishing.picture_ring import PictureRing
from ingest.publishing.publisher import Publisher
from ingest.publishing.sizing import SizeLimit
from ingest.sources import CapturedImage
from posebus.backoff import Backoff
from posebus.bus.checkpoint import Checkpoint
from posebus.logs.about import about
from posebus.messages import CameraMotion, Frame, Uninferred
from posebus.telemetry.metrics import Metrics

MIN_PLAN_PAUSE_S, MAX_PLAN_PAUSE_S = 0.004, 0.05
"""Shortest and longest pause between two reads of a plan that is not made yet."""
WARN_AFTER_S = 10.0
"""A tracker that runs has answered long before this time."""

log = logging.getLogger("posebus.ingest")


class Admission:
    """Passes the pictures of one camera to its publisher."""

    def __init__(
        self,
        camera: str,
        selector: FrameSelector,
        motion: MotionFollower,
        publisher: Publisher,
        size_limit: SizeLimit,
        metrics: Metrics,
    ) -> None:
        self.selector = selector
        self.motion = motion
        self._camera = camera
        self._publisher = publisher
        self._size_limit = size_limit
        self._metrics = metrics
        self._pauses = Backoff(MIN_PLAN_PAUSE_S, MAX_PLAN_PAUSE_S, random.Random())
        self._waits_since_s: float | None = None
        self._warned = False
        self.ring: PictureRing | None = None
        """Keeps pictures for snapshots of events."""

    def begin_epoch(self, now_s: float) -> None:
        """The next picture is the first of a new epoch. Raises the broker's errors."""
        self._size_limit.begin_epoch(now_s)
        self._publisher.open_epoch(self._size_limit.epoch_px)
        self.selector.begin_epoch(self._publisher.epoch)
        self.motion.begin_epoch()

    def resume(self, checkpoint: Checkpoint) -> None:
        """Continue after the checkpoint of another process."""
        self._size_limit.resume(checkpoint.max_size_px)
        try:
            self.selector.load(checkpoint.attention)
        except ValueError as error:
            log.warning(
                "camera %s: the state of its frame selector cannot be read (%s)",
                self._camera,
                error,
                extra=about(self._camera),
            )
        try:
            self.motion.load(checkpoint.motion, checkpoint.motion_reference)
        except ValueError as error:
            log.warning(
                "camera %s: the state of its motion cannot be read (%s)", self._camera, error, extra=about(self._camera)
            )
        self._publisher.set_motion_state(self.motion.state, self.motion.reference)

    def admit(self, picture: CapturedImage, now_s: float) -> bool:
        """Pass the picture, or its mark, to the publisher; False, after a pause, if its plan is not made yet.

        Raises BadPicture for a picture that cannot be encoded.
        """
        verdict = self._judge(picture, now_s) if self.selector.active else Verdict()
        if verdict is None:
            return False
        verdict = self.selector.with_check(verdict, self._publisher.seq)
        camera_motion = self._follow(picture)
        began_s = time.perf_counter()
        if verdict.reason is not None:
            mark = self._publisher.accept_uninferred(picture, verdict.reason, camera_motion)
            self._keep(picture, mark)
            self._metrics.count("posebus_frames_uninferred_total", reason=verdict.reason)
            return True
        max_size_px = self._size_limit.for_views(verdict.views, now_s)
        frame = self._publisher.accept(picture, max_size_px, verdict.views, camera_motion)
        self._metrics.observe("posebus_stage_seconds", time.perf_counter() - began_s, stage="encode")
        self._keep(picture, frame)
        return True

    def _keep(self, picture: CapturedImage, frame: Frame | Uninferred) -> None:
        if self.ring is not None:
            self.ring.offer(picture, frame)

    def _follow(self, picture: CapturedImage) -> CameraMotion | None:
        began_s = time.perf_counter()
        camera_motion = self.motion.follow(picture)
        if camera_motion is not None:
            self._publisher.set_motion_state(self.motion.state, self.motion.reference)
            self._metrics.observe("posebus_stage_seconds", time.perf_counter() - began_s, stage="camera_motion")
        return camera_motion

    def _judge(self, picture: CapturedImage, now_s: float) -> Verdict | None:
        began_s = time.perf_counter()
        seq = self._publisher.seq
        verdict = self.selector.judge(picture, seq)
        if verdict is None:
            self._wait(now_s)
            return None
        self._waits_since_s, self._warned = None, False
        self._pauses.reset()
        self.selector.accepted(verdict, seq, picture.captured_at_ns)
        self._publisher.set_selector_state(self.selector.to_bytes())
        self._metrics.observe("posebus_stage_seconds", time.perf_counter() - began_s, stage="motion")
        return verdict

    def _wait(self, now_s: float) -> None:
        if self._waits_since_s is None:
            self._waits_since_s = now_s
        if now_s - self._waits_since_s > WARN_AFTER_S and not self._warned:
            self._warned = True
            text = "camera %s waits for its tracker to plan the next frames; is a tracker running?"
            log.warning(text, self._camera, extra=about(self._camera))
        time.sleep(self._pauses.next_s())
