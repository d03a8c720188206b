"""The motion of one camera from epoch to epoch, and its state for a process that takes over."""

from __future__ import annotations

from ingest.camera_motion.estimator import MotionEstimator
from ingest.camera_motion.geometry import small_size_px
from ingest.sources import CapturedImage
from posebus.messages import CameraMotion


class MotionFollower:
    """Estimates the motion of the pictures of one camera: call `follow` once for each one that is published."""

    def __init__(self, *, wanted: bool, live: bool) -> None:
        """`wanted` is whether the settings ask for it. A live camera needs no state: its successor begins an epoch."""
        self._wanted = wanted
        self._live = live
        self._estimator = MotionEstimator()

    def begin_epoch(self) -> None:
        """The next picture is the first of an epoch, and of a shot."""
        self._estimator = MotionEstimator()

    def follow(self, picture: CapturedImage) -> CameraMotion | None:
        """Return where the camera looks in `picture`; None if that is not wanted. Raises BadPicture."""
        if not self._wanted:
            return None
        image = picture.image
        grey = image.grey(small_size_px(image.size_px))
        return self._estimator.update(grey, image.size_px, picture.captured_at_ns, image.pixel_aspect)

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
        self._estimator = MotionEstimator()
        if state:
            self._estimator.load(state, reference)
