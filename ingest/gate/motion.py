"""Motion in a small grey picture: its difference from the empty scene, and from the last inferred picture. Pure.

Each cell keeps a running mean and a running deviation, after C. Stauffer and W. E. L. Grimson, "Adaptive background
mixture models for real-time tracking", CVPR 1999, with one mode and without colours: averaging over cells removes most
sensor noise and rain, and the rest is learned as the deviation. A change of the whole picture (light, exposure, the
pulse of compression at each key frame) is the median difference, which is subtracted first.

The memory holds integers, so that a process that restores it from bytes computes exactly the same. It fades with time,
not with the number of frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from posebus.arrays import BoolArray, Float32Array, UInt8Array

WIDTH = 96
"""Cells on the longer side: a person 40 px tall in a picture of 768 px changes a dozen cells."""
LEAST_CONTRAST = 7.0
"""A cell has to differ by at least this many levels of 255; compression alone changes cells by two or three."""
DEVIATIONS = 4.0
COMPANIONS = 4
"""At least this many of the 3x3 cells around a cell, itself included, have to differ: drops of rain are isolated."""
LEAST_BLOB = 5
"""A connected group of differing cells counts as motion from this size on."""
LEARN_S = 10.0
"""Time constant with which still cells are learned."""
ABSORB_S = 10.0
"""Time constant with which a lasting change, such as an open door, joins the scene while no person is tracked."""
RECENT_S = 0.5
"""A group that differs from the scene moves only if it differs from the last half second, too."""
STIRRED = 0.6
"""A cell has changed recently if it differs from the last half second by this part of its limit; ..."""
LEAST_STIRRED = 2
"""... a group moves if at least this many of its cells have."""
RELIGHT_SHARE = 0.5
"""If more than this part of the cells differs, light or camera have changed, and the scene is learned again."""
_SCALE = 256.0


@dataclass(frozen=True, slots=True)
class Motion:
    """Changed parts of the picture's area: `moving` compares with the empty scene, `since_inferred` with the last
    inferred picture."""

    moving: float
    since_inferred: float


def cells_of(size_px: tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) in cells of the small grey picture for a picture of `size_px`."""
    longest = max(size_px)
    return max(3, round(WIDTH * size_px[0] / longest)), max(3, round(WIDTH * size_px[1] / longest))


@dataclass(frozen=True, slots=True)
class SceneModel:
    """The learned scene as float32 (H, W), in levels: mean and deviation of each cell, and the present `difference`."""

    mean: Float32Array
    deviation: Float32Array
    difference: Float32Array


class MotionModel:
    """The empty scene of one camera as far as it is learned, and the last inferred picture."""

    def __init__(self) -> None:
        self._at_ns = 0
        self._scene: npt.NDArray[np.uint16] | None = None
        self._deviation: npt.NDArray[np.uint16] | None = None
        self._recent: npt.NDArray[np.uint16] | None = None
        self._inferred: UInt8Array | None = None
        self._last: UInt8Array | None = None

    def update(self, grey: UInt8Array, captured_at_ns: int, *, occupied: bool) -> Motion:
        """Compare `grey` (H, W) with the scene, and learn from it; while `occupied`, changes do not join the scene.

        The first picture, and one of another size, becomes the scene; all of it counts as changed since the inference.
        """
        self._last = grey
        scene, deviation, recent = self._scene, self._deviation, self._recent
        if scene is None or deviation is None or recent is None or scene.shape != grey.shape:
            self._begin(grey, captured_at_ns)
            return Motion(0.0, 1.0)
        elapsed_s = max(0.0, (captured_at_ns - self._at_ns) / 1e9)
        self._at_ns = captured_at_ns
        mean = scene.astype(np.float32) / _SCALE
        spread = deviation.astype(np.float32) / _SCALE
        difference = _difference(grey, mean)
        limit = np.maximum(LEAST_CONTRAST, DEVIATIONS * spread)
        before = recent.astype(np.float32) / _SCALE
        self._recent = _kept(before + (1.0 - math.exp(-elapsed_s / RECENT_S)) * (grey.astype(np.float32) - before))
        stirred = np.abs(_difference(grey, before)) > STIRRED * limit
        other = _blobs(np.abs(difference) > limit)
        moving = _blobs(np.abs(difference) > limit, stirred)
        if np.count_nonzero(other) > RELIGHT_SHARE * other.size:
            since = self._since_inferred(grey, limit)
            self._begin(grey, captured_at_ns)
            return Motion(1.0, since)
        model = SceneModel(mean=mean, deviation=spread, difference=difference)
        self._learn(grey, model, other, elapsed_s, occupied=occupied)
        return Motion(np.count_nonzero(moving) / moving.size, self._since_inferred(grey, limit))

    def mark_inferred(self) -> None:
        """The last picture is inferred: later pictures are compared with it."""
        self._inferred = self._last

    def to_bytes(self) -> bytes:
        """Return the whole memory for `load`; empty before the first picture."""
        if self._scene is None or self._deviation is None or self._recent is None:
            return b""
        head = np.array([*self._scene.shape, self._at_ns], "<i8").tobytes()
        pictures = [one.astype("<u2").tobytes() for one in (self._scene, self._deviation, self._recent)]
        return b"".join([head, *pictures, b"" if self._inferred is None else self._inferred.tobytes()])

    def load(self, state: bytes) -> None:
        """Restore the memory of `to_bytes`. Raises ValueError for other bytes."""
        if not state:
            return
        height, width, at_ns = (int(number) for number in np.frombuffer(state, "<i8", 3))
        cells = height * width
        if not 0 < height <= WIDTH or not 0 < width <= WIDTH or len(state) not in (24 + 6 * cells, 24 + 7 * cells):
            raise ValueError("this is no state of a motion model")
        self._at_ns = at_ns
        pictures = np.frombuffer(state, "<u2", 3 * cells, 24).astype(np.uint16).reshape(3, height, width)
        self._scene, self._deviation, self._recent = (picture.copy() for picture in pictures)
        inferred = np.frombuffer(state, np.uint8, -1, 24 + 6 * cells)
        self._inferred = inferred.reshape(height, width).copy() if len(inferred) else None

    def _begin(self, grey: UInt8Array, captured_at_ns: int) -> None:
        self._at_ns = captured_at_ns
        self._scene = _kept(grey.astype(np.float32))
        self._recent = self._scene
        self._deviation = np.zeros(grey.shape, np.uint16)

    def _learn(
        self,
        grey: UInt8Array,
        model: SceneModel,
        moving: BoolArray,
        elapsed_s: float,
        *,
        occupied: bool,
    ) -> None:
        scene, spread, difference = model.mean, model.deviation, model.difference
        still = 1.0 - math.exp(-elapsed_s / LEARN_S)
        moved = 0.0 if occupied else 1.0 - math.exp(-elapsed_s / ABSORB_S)
        # Cells next to a moving group may be its edge or its shadow.
        near: Any = cv2.dilate(moving.astype(np.uint8), np.ones((3, 3), np.uint8))
        share = np.where(near > 0, np.float32(moved), np.float32(still))
        learned = scene + share * (grey.astype(np.float32) - scene)
        strayed = spread + np.where(near > 0, np.float32(0), np.float32(still)) * (np.abs(difference) - spread)
        self._scene, self._deviation = _kept(learned), _kept(strayed)

    def _since_inferred(self, grey: UInt8Array, limit: Float32Array) -> float:
        if self._inferred is None or self._inferred.shape != grey.shape:
            return 1.0
        changed = _blobs(np.abs(_difference(grey, self._inferred.astype(np.float32))) > limit)
        return np.count_nonzero(changed) / changed.size


def _kept(picture: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint16]:
    """Return the picture in 256ths of a level, as the memory keeps it."""
    kept: npt.NDArray[np.uint16] = np.rint(picture * _SCALE).astype(np.uint16)
    return kept


def _difference(grey: UInt8Array, before: Float32Array) -> Float32Array:
    """Return the difference of each cell, minus the median, by which the whole picture has changed."""
    difference: Float32Array = grey.astype(np.float32) - before
    difference -= np.median(difference)
    return difference


def _blobs(different: BoolArray, stirred: BoolArray | None = None) -> BoolArray:
    """Return the cells of `different` in connected groups that are large, and `stirred` enough if that is given."""
    if not different.any():
        return different
    flags = different.astype(np.uint8)
    around: Any = cv2.boxFilter(flags, cv2.CV_8U, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    flags[around < COMPANIONS] = 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(flags, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= LEAST_BLOB
    large[0] = False
    if stirred is not None:
        large &= np.bincount(labels[stirred], minlength=count) >= LEAST_STIRRED
    found: BoolArray = large[labels]
    return found
