"""The motion of one camera from epoch to epoch, its state for a process that takes over, and a report about it."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from ingest.camera_motion.estimator import MotionEstimator
from ingest.camera_motion.geometry import small_size_px
from ingest.sources import CapturedImage
from posebus.messages import CameraMotion
from posebus.telemetry.process_report import MotionReport

REPORTED_NS = 1_000_000_000
MOST_STEPS = 200


class MotionStep(NamedTuple):
    """A picture: its time, the position in it of the middle of the shot's first frame, and the length of its path so
    far."""

    captured_at_ns: int
    shot: int
    x_px: float
    y_px: float
    way_px: float


class MotionFollower:
    """Estimates the motion of the pictures of one camera: call `follow` once for each one that is published."""

    def __init__(self, *, wanted: bool, live: bool) -> None:
        """`wanted`: whether the settings ask for the motion.

        A live camera needs no state, since its next process begins an epoch.
        """
        self._wanted = wanted
        self._live = live
        self._estimator = MotionEstimator()
        self._steps: deque[MotionStep] = deque(maxlen=MOST_STEPS)

    def begin_epoch(self) -> None:
        """The next picture is the first of an epoch, and of a shot."""
        self._estimator = MotionEstimator()
        self._steps.clear()

    def follow(self, picture: CapturedImage) -> CameraMotion | None:
        """Return where the camera looks in `picture`; None if that is not wanted. Raises BadPicture."""
        if not self._wanted:
            return None
        image = picture.image
        grey = image.grey(small_size_px(image.size_px))
        motion = self._estimator.update(grey, image.size_px, picture.captured_at_ns, image.pixel_aspect)
        self._note(motion, image.size_px, picture.captured_at_ns)
        return motion

    def report(self) -> MotionReport | None:
        """How the camera has moved in the last second; None before its first pictures."""
        if len(self._steps) < 2:
            return None
        newest = self._steps[-1]
        oldest = next(step for step in self._steps if newest.captured_at_ns - step.captured_at_ns <= REPORTED_NS)
        elapsed_s = (newest.captured_at_ns - oldest.captured_at_ns) / 1e9
        px_per_s = (newest.way_px - oldest.way_px) / elapsed_s if elapsed_s > 0 else 0.0
        return MotionReport(round(px_per_s, 1), newest.shot + 1)

    @property
    def state(self) -> str:
        """The state of a recording without its reference picture; empty for live cameras."""
        return "" if self._live or not self._wanted else self._estimator.state

    @property
    def reference(self) -> str:
        """The reference picture of a recording as text, which seldom changes; empty for live cameras."""
        return "" if self._live or not self._wanted else self._estimator.reference

    def load(self, state: str, reference: str) -> None:
        """Continue from the state of another process. Raises ValueError for other texts."""
        self.begin_epoch()
        if state:
            self._estimator.load(state, reference)

    def _note(self, motion: CameraMotion, size_px: tuple[int, int], captured_at_ns: int) -> None:
        a, b, c, d, e, f = motion.matrix
        middle_x, middle_y = size_px[0] / 2, size_px[1] / 2
        x, y = a * middle_x + b * middle_y + c, d * middle_x + e * middle_y + f
        way_px = 0.0
        if self._steps:
            before = self._steps[-1]
            way_px = before.way_px
            if before.shot == motion.shot:
                way_px += math.hypot(x - before.x_px, y - before.y_px)
        self._steps.append(MotionStep(captured_at_ns, motion.shot, x, y, way_px))
