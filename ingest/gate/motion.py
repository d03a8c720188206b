"""Motion in a small grey picture: what differs from the empty scene, and from the picture that was inferred last. Pure.

Each cell keeps a running mean and a running deviation, as of C. Stauffer and W. E. L. Grimson, "Adaptive background
mixture models for real-time tracking", CVPR 1999, with one mode and without colours: averaging over cells removes most
sensor noise and rain, and what they leave is learned as the deviation. Everything that changes the whole picture alike
(light, exposure, the pulse of compression at each key frame) is the median difference, and taken off first.

Memory is in whole numbers, so that a successor which gets it as bytes goes on as if nothing had happened. It fades with
time, never by counting frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from posebus.arrays import Float32Array

WIDTH = 96
"""Cells on the longer side: of a person 40 px tall in a picture of 768 px, a dozen change."""
LEAST_CONTRAST = 7.0
"""Levels of 255 by which a cell has to differ at least; compression alone moves cells by two or three."""
DEVIATIONS = 4.0
COMPANIONS = 4
"""Of the nine cells around one and itself, so many have to differ with it: drops of rain are alone."""
LEAST_BLOB = 5
"""Cells that hang together and differ, at least, to count as motion."""
LEARN_S = 10.0
"""How fast still cells are learned."""
ABSORB_S = 10.0
"""How fast what came and stays becomes part of the scene while nobody is known to be there: a door left open, say."""
RECENT_S = 0.5
"""What differs from the scene moves only if it differs from the last half second, too."""
STIRRED = 0.6
"""By so much of a cell's limit it has to differ from that, ..."""
LEAST_STIRRED = 2
"""... in so many cells of what hangs together."""
RELIGHT_SHARE = 0.5
"""With so many cells different the light has changed, or the camera was turned: the scene is learned anew."""
_SCALE = 256.0

Rows = npt.NDArray[np.uint8]
Cells = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Motion:
    """What moves, in parts of the picture's area: `moving` differs from the empty scene, `since_inferred` from the
    picture that was inferred last."""

    moving: float
    since_inferred: float


def cells_of(size_px: tuple[int, int]) -> tuple[int, int]:
    """(width, height) in cells of the small picture of one of `size_px`."""
    longest = max(size_px)
    return max(3, round(WIDTH * size_px[0] / longest)), max(3, round(WIDTH * size_px[1] / longest))


class MotionModel:
    """The empty scene of one camera as far as it is known, and the picture that was inferred last."""

    def __init__(self) -> None:
        self._at_ns = 0
        self._scene: npt.NDArray[np.uint16] | None = None
        self._deviation: npt.NDArray[np.uint16] | None = None
        self._recent: npt.NDArray[np.uint16] | None = None
        self._inferred: Rows | None = None
        self._seen: Rows | None = None

    def look(self, grey: Rows, captured_at_ns: int, *, occupied: bool) -> Motion:
        """Compare `grey` (H, W) with what is known, and learn from it; nobody who is there (`occupied`) is absorbed.

        The first picture, and one of another size, is the scene, and differs from everything before.
        """
        self._seen = grey
        scene, deviation, recent = self._scene, self._deviation, self._recent
        if scene is None or deviation is None or recent is None or scene.shape != grey.shape:
            self._begin(grey, captured_at_ns)
            return Motion(0.0, 1.0)
        elapsed_s = max(0.0, (captured_at_ns - self._at_ns) / 1e9)
        self._at_ns = captured_at_ns
        known = scene.astype(np.float32) / _SCALE
        spread = deviation.astype(np.float32) / _SCALE
        difference = _difference(grey, known)
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
        self._learn(grey, (known, spread, difference), other, elapsed_s, occupied=occupied)
        return Motion(np.count_nonzero(moving) / moving.size, self._since_inferred(grey, limit))

    def was_inferred(self) -> None:
        """The picture looked at last is inferred: what comes is compared with it."""
        self._inferred = self._seen

    def to_bytes(self) -> bytes:
        """All that is known; see `from_bytes`."""
        if self._scene is None or self._deviation is None or self._recent is None:
            return b""
        head = np.array([*self._scene.shape, self._at_ns], "<i8").tobytes()
        pictures = [one.astype("<u2").tobytes() for one in (self._scene, self._deviation, self._recent)]
        return b"".join([head, *pictures, b"" if self._inferred is None else self._inferred.tobytes()])

    def load(self, state: bytes) -> None:
        """Go on from `to_bytes`. Raises ValueError for what is no such state."""
        if not state:
            return
        height, width, at_ns = (int(number) for number in np.frombuffer(state, "<i8", 3))
        cells = height * width
        if not 0 < height <= WIDTH or not 0 < width <= WIDTH or len(state) not in (24 + 6 * cells, 24 + 7 * cells):
            raise ValueError("it is no state of a motion model")
        self._at_ns = at_ns
        pictures = np.frombuffer(state, "<u2", 3 * cells, 24).astype(np.uint16).reshape(3, height, width)
        self._scene, self._deviation, self._recent = (picture.copy() for picture in pictures)
        inferred = np.frombuffer(state, np.uint8, -1, 24 + 6 * cells)
        self._inferred = inferred.reshape(height, width).copy() if len(inferred) else None

    def _begin(self, grey: Rows, captured_at_ns: int) -> None:
        self._at_ns = captured_at_ns
        self._scene = _kept(grey.astype(np.float32))
        self._recent = self._scene
        self._deviation = np.zeros(grey.shape, np.uint16)

    def _learn(
        self,
        grey: Rows,
        known: tuple[Float32Array, Float32Array, Float32Array],
        moving: Cells,
        elapsed_s: float,
        *,
        occupied: bool,
    ) -> None:
        scene, spread, difference = known
        still = 1.0 - math.exp(-elapsed_s / LEARN_S)
        moved = 0.0 if occupied else 1.0 - math.exp(-elapsed_s / ABSORB_S)
        # What lies close to something that moves may be its edge or its shadow.
        near: Any = cv2.dilate(moving.astype(np.uint8), np.ones((3, 3), np.uint8))
        share = np.where(near > 0, np.float32(moved), np.float32(still))
        learned = scene + share * (grey.astype(np.float32) - scene)
        strayed = spread + np.where(near > 0, np.float32(0), np.float32(still)) * (np.abs(difference) - spread)
        self._scene, self._deviation = _kept(learned), _kept(strayed)

    def _since_inferred(self, grey: Rows, limit: Float32Array) -> float:
        if self._inferred is None or self._inferred.shape != grey.shape:
            return 1.0
        changed = _blobs(np.abs(_difference(grey, self._inferred.astype(np.float32))) > limit)
        return np.count_nonzero(changed) / changed.size


def _kept(picture: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint16]:
    """As it is remembered: in 256ths of a level."""
    kept: npt.NDArray[np.uint16] = np.rint(picture * _SCALE).astype(np.uint16)
    return kept


def _difference(grey: Rows, before: Float32Array) -> Float32Array:
    """Of each cell, without what the whole picture has in common."""
    difference: Float32Array = grey.astype(np.float32) - before
    difference -= np.median(difference)
    return difference


def _blobs(different: Cells, stirred: Cells | None = None) -> Cells:
    """The cells of `different` that are not alone and hang together in something large enough, some of it `stirred`."""
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
    found: Cells = large[labels]
    return found
