"""Estimators of the camera's motion: ours, and ultralytics' (which BoT-SORT uses there)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np

from ingest.camera_motion.estimator import MotionEstimator
from ingest.camera_motion.geometry import small_size_px
from ingest.sources.decoding.reducing import halved_rows, reduce_rows
from posebus.arrays import Float64Array, UInt8Array

PEERS = ("sparseOptFlow", "orb", "ecc")


class Side(Protocol):
    """One estimator of one camera; `seconds` is what its last call took."""

    seconds: float

    def follow(self, picture: UInt8Array, captured_at_ns: int) -> tuple[Float64Array, bool]:
        """Return the map (3, 3) from the first picture of the shot to this one, and whether a shot begins with it."""


class Ours:
    """Ours as in ingest, beginning with the decoder's plane of brightness: reduction and estimate."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._estimator = MotionEstimator()
        self._shot = 0

    def follow(self, picture: UInt8Array, captured_at_ns: int) -> tuple[Float64Array, bool]:
        """See `Side.follow`."""
        height, width = picture.shape[:2]
        bright: Any = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        began_s = time.perf_counter()
        grey = _reduced(bright, small_size_px((width, height)))
        motion = self._estimator.update(grey, (width, height), captured_at_ns)
        self.seconds = time.perf_counter() - began_s
        begins, self._shot = motion.shot != self._shot, motion.shot
        return np.array((*motion.matrix, 0, 0, 1), np.float64).reshape(3, 3), begins


class Ultralytics:
    """`ultralytics.trackers.utils.gmc.GMC` with this method and its defaults; it knows no shots."""

    def __init__(self, method: str) -> None:
        from ultralytics.trackers.utils.gmc import GMC
        from ultralytics.utils import LOGGER

        LOGGER.setLevel(logging.ERROR)
        self.seconds = 0.0
        self._gmc = GMC(method=method)
        self._matrix: Float64Array = np.eye(3)

    def follow(self, picture: UInt8Array, captured_at_ns: int) -> tuple[Float64Array, bool]:
        """See `Side.follow`."""
        began_s = time.perf_counter()
        step = self._gmc.apply(picture)
        self.seconds = time.perf_counter() - began_s
        self._matrix = np.vstack((step, (0, 0, 1))).astype(np.float64) @ self._matrix
        return self._matrix, False


SIDES: dict[str, Callable[[], Side]] = {
    "posebus": Ours,
    **{f"ultralytics {method}": lambda method=method: Ultralytics(method) for method in PEERS},  # type: ignore[misc]
}


def _reduced(bright: UInt8Array, size_px: tuple[int, int]) -> UInt8Array:
    halved = halved_rows(bright, size_px)
    return reduce_rows(bright, size_px) if halved is None else halved
