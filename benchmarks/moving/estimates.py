"""The camera's motion as ingest estimates it from the pictures of a take."""

from __future__ import annotations

import importlib.util
from typing import Any

import cv2

from benchmarks.common.frames import BgrImage
from posebus.messages import CameraMotion, FrameKey


def available() -> bool:
    """Whether this version of ingest estimates the camera's motion."""
    return importlib.util.find_spec("ingest.camera_motion") is not None


class Estimates:
    """Ingest's estimator for one camera, from whole pictures in order."""

    def __init__(self) -> None:
        self._estimator: Any = None
        self._epoch = -1

    def motion(self, frame: FrameKey, picture: BgrImage) -> CameraMotion:
        """The motion of the picture (H, W, 3) of a frame; a new epoch has a new estimator, as in ingest."""
        from ingest.camera_motion.estimator import MotionEstimator, small_size_px

        if frame.epoch != self._epoch:
            self._estimator, self._epoch = MotionEstimator(), frame.epoch
        size_px = (picture.shape[1], picture.shape[0])
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, small_size_px(size_px), interpolation=cv2.INTER_AREA)
        found: CameraMotion = self._estimator.update(small, size_px, frame.captured_at_ns)
        return found
