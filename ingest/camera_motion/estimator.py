"""The motion of one camera, from its small grey pictures in order. Pure."""

from __future__ import annotations

import base64
import json
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from ingest.camera_motion.reference import Alignment, Reference
from posebus.arrays import Float64Array, UInt8Array
from posebus.contract.foreign_json import WRONG_DATA, load_object, whole
from posebus.contract.wire import NO_MOTION
from posebus.errors import MalformedMessage
from posebus.messages import CameraMotion

LONGEST_CELLS = 256
"""Pictures are halved until their longer side has at most this many pixels."""
SNAP_PX = 0.15
"""A motion below this many pixels of the small picture is none: the error of the estimate."""
LEAST_OVERLAP = 0.6
LEAST_SHARE = 0.5
REST_FRAMES = 3
FULL_SHARE = 0.5
"""A motion with which half of the corners agree is certain."""


def small_size_px(size_px: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) of the small grey picture in which a picture of `size_px` is compared."""
    halvings = _halvings(size_px)
    return max(1, size_px[0] >> halvings), max(1, size_px[1] >> halvings)


class MotionEstimator:
    """Estimates the motion of one camera: call `update` with each picture in order."""

    def __init__(self) -> None:
        self._reference: Reference | None = None
        self._reference_text = ""
        self._shot = 0
        self._size_px = (0, 0)
        self._aspect = Fraction(1)
        self._to_reference: Float64Array = np.eye(3)
        """From the shot's first frame to the reference, in pixels of the source."""
        self._reference_size_px = (0, 0)
        self._to_picture: Float64Array = np.eye(3)
        """From the reference to the last picture, in pixels of the small pictures."""
        self._rested = 0
        self._moved = False
        self._matrix = NO_MOTION

    def update(self, grey: UInt8Array, size_px: tuple[int, int], aspect: Fraction = Fraction(1)) -> CameraMotion:
        """Return the motion of the picture of `size_px` whose small grey picture is `grey` (H, W)."""
        reference = self._reference
        if reference is None:
            self._begin(grey, size_px, aspect)
            return CameraMotion(self._shot, self._matrix, 1.0)
        if aspect != self._aspect:
            return self._cut(grey, size_px, aspect)
        if size_px == self._size_px and not self._moved and reference.is_unmoved(grey):
            return CameraMotion(self._shot, self._matrix, 1.0)
        found = self._align(reference, grey, size_px)
        if found is None:
            if reference.has_texture and Reference(grey).has_texture:
                return self._cut(grey, size_px, aspect)
            return CameraMotion(self._shot, self._matrix, 0.0)
        self._follow(reference, found, grey, size_px)
        return CameraMotion(self._shot, self._matrix, round(min(1.0, found.share / FULL_SHARE), 2))

    @property
    def state(self) -> str:
        """All that `load` needs besides the reference picture; empty before the first picture."""
        if self._reference is None:
            return ""
        return json.dumps(
            {
                "shot": self._shot,
                "size_px": self._size_px,
                "aspect": self._aspect.as_integer_ratio(),
                "reference_size_px": self._reference_size_px,
                "to_reference": self._to_reference[:2].ravel().tolist(),
                "to_picture": self._to_picture[:2].ravel().tolist(),
                "matrix": self._matrix,
                "rested": self._rested,
                "moved": self._moved,
            },
            separators=(",", ":"),
        )

    @property
    def reference(self) -> str:
        """The reference picture as text; it stays the same while the camera is still."""
        return self._reference_text

    def load(self, state: str, reference: str) -> None:
        """Restore `state` and `reference` of another estimator. Raises ValueError for other texts."""
        try:
            values = load_object(state, "the state of a camera's motion")
            size_px, kept_px = (_two(values[name]) for name in ("size_px", "reference_size_px"))
            width, height = small_size_px(kept_px)
            grey = np.frombuffer(base64.b64decode(reference, validate=True), np.uint8).reshape(height, width)
            to_reference, to_picture = (_matrix(values[name]) for name in ("to_reference", "to_picture"))
            a, b, c, d, e, f = (float(number) for number in values["matrix"])
            shot, rested, moved = whole(values["shot"]), whole(values["rested"]), bool(values["moved"])
            aspect = Fraction(*_two(values["aspect"]))
        except (MalformedMessage, *WRONG_DATA) as error:
            raise ValueError(f"this is no state of a camera's motion: {error}") from error
        self._keep(grey, kept_px, to_reference)
        self._shot, self._aspect, self._size_px = shot, aspect, size_px
        self._to_picture, self._matrix = to_picture, (a, b, c, d, e, f)
        self._rested, self._moved = rested, moved

    def _begin(self, grey: UInt8Array, size_px: tuple[int, int], aspect: Fraction) -> None:
        self._aspect = aspect
        self._matrix = NO_MOTION
        self._keep(grey, size_px, np.eye(3))

    def _cut(self, grey: UInt8Array, size_px: tuple[int, int], aspect: Fraction) -> CameraMotion:
        self._shot += 1
        self._begin(grey, size_px, aspect)
        return CameraMotion(self._shot, self._matrix, 1.0)

    def _keep(self, grey: UInt8Array, size_px: tuple[int, int], to_reference: Float64Array) -> None:
        self._reference = Reference(grey)
        self._reference_text = base64.b64encode(grey.tobytes()).decode()
        self._reference_size_px = self._size_px = size_px
        self._to_reference = to_reference
        self._to_picture = np.eye(3)
        self._rested, self._moved = 0, False

    def _align(self, reference: Reference, grey: UInt8Array, size_px: tuple[int, int]) -> Alignment | None:
        expected = self._to_picture
        if size_px != self._size_px:
            expected = _stretch(self._size_px, size_px) @ expected
        found = reference.align(grey, expected)
        if found is not None:
            return found
        shift = _phase(reference.grey, grey, expected)
        return None if shift is None else reference.align(grey, expected @ shift)

    def _follow(self, reference: Reference, found: Alignment, grey: UInt8Array, size_px: tuple[int, int]) -> None:
        moved_px = _distance_px(found.to_picture, self._to_picture, grey.shape)
        if size_px == self._size_px and moved_px < SNAP_PX:
            self._rested += 1
        else:
            self._rested = 0
            self._moved = True
            self._to_picture = found.to_picture
            self._size_px = size_px
            matrix = self._absolute()
            self._matrix = _rounded(matrix)
        overlap = _overlap(self._to_picture, reference.grey.shape, grey.shape)
        rests = self._moved and self._rested >= REST_FRAMES
        if (overlap < LEAST_OVERLAP or found.share < LEAST_SHARE or rests) and Reference(grey).has_texture:
            self._keep(grey, size_px, self._absolute())

    def _absolute(self) -> Float64Array:
        """Return the matrix (3, 3) from the shot's first frame to the last picture, in pixels of the source."""
        found: Float64Array = (
            _to_source(self._size_px)
            @ self._to_picture
            @ np.linalg.inv(_to_source(self._reference_size_px))
            @ self._to_reference
        )
        return found


def _two(values: Any) -> tuple[int, int]:
    first, second = (whole(value, least=1) for value in values)
    return first, second


def _matrix(values: Any) -> Float64Array:
    """Return the first two rows of a map as a matrix (3, 3). Raises ValueError for other numbers."""
    rows = np.array([float(value) for value in values], np.float64).reshape(2, 3)
    if not np.isfinite(rows).all() or np.linalg.det(rows[:, :2]) <= 0.0:
        raise ValueError("its matrix is not that of a camera")
    return np.vstack((rows, (0.0, 0.0, 1.0)))


def _halvings(size_px: tuple[int, int]) -> int:
    longest, halvings = max(size_px), 0
    while longest >> halvings > LONGEST_CELLS:
        halvings += 1
    return halvings


def _to_source(size_px: tuple[int, int]) -> Float64Array:
    """Return the matrix (3, 3) from the small picture, where whole numbers are the middles of pixels, to the source."""
    scale = float(1 << _halvings(size_px))
    return np.array(((scale, 0, scale / 2), (0, scale, scale / 2), (0, 0, 1)), np.float64)


def _stretch(before_px: tuple[int, int], after_px: tuple[int, int]) -> Float64Array:
    """Return the matrix (3, 3) between small pictures, if the whole picture was resampled to another size."""
    source = np.diag((after_px[0] / before_px[0], after_px[1] / before_px[1], 1.0))
    found: Float64Array = np.linalg.inv(_to_source(after_px)) @ source @ _to_source(before_px)
    return found


def _corners(shape: tuple[int, ...]) -> Float64Array:
    """Return the corners of a picture of `shape` (H, W), as columns (3, 4)."""
    width, height = shape[1] - 1.0, shape[0] - 1.0
    return np.array(((0, width, width, 0), (0, 0, height, height), (1, 1, 1, 1)), np.float64)


def _distance_px(one: Float64Array, other: Float64Array, shape: tuple[int, ...]) -> float:
    """Return how far the two matrices move a corner apart, at most."""
    apart = ((one - other) @ _corners(shape))[:2]
    return float(np.sqrt((apart * apart).sum(axis=0).max()))


def _overlap(to_picture: Float64Array, before: tuple[int, ...], after: tuple[int, ...]) -> float:
    """Return the part of the smaller area, of the kept picture and the other one, that both show."""
    moved = (to_picture @ _corners(before))[:2].T.astype(np.float32)
    area, _ = cv2.intersectConvexConvex(moved, _corners(after)[:2].T.astype(np.float32))
    return float(area) / max(1.0, (after[0] - 1.0) * (after[1] - 1.0))


def _phase(kept: UInt8Array, grey: UInt8Array, expected: Float64Array) -> Float64Array | None:
    """Return the shift (3, 3) between the kept picture and `grey` laid over it, by phase correlation."""
    height, width = kept.shape
    laid: Any = cv2.warpAffine(
        grey,
        expected[:2],
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    half = (width // 2, height // 2)
    one: Any = cv2.resize(kept, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    two: Any = cv2.resize(laid, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    window: Any = cv2.createHanningWindow(half, cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(one, two, window)
    return np.array(((1, 0, 2 * dx), (0, 1, 2 * dy), (0, 0, 1)), np.float64)


def _rounded(matrix: Float64Array) -> tuple[float, float, float, float, float, float]:
    (a, b, c), (d, e, f), _ = matrix.tolist()
    return round(a, 8), round(b, 8), round(c, 3), round(d, 8), round(e, 8), round(f, 3)
