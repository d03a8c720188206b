"""The motion of one camera, from its small grey pictures in order. Pure."""

from __future__ import annotations

import base64
import json
from fractions import Fraction
from typing import Any

import numpy as np

from ingest.camera_motion.geometry import distance_px, laid_over, overlap_of, resizings, small_size_px, to_source
from ingest.camera_motion.phase import shift_between
from ingest.camera_motion.reference import NOTHING, STILL_SHARE, TRACE_SHARE, Alignment, Reference
from posebus.arrays import Float64Array, UInt8Array
from posebus.contract.foreign_json import WRONG_DATA, load_object, whole
from posebus.contract.wire import NO_MOTION, problem_of
from posebus.errors import MalformedMessage
from posebus.messages import CameraMotion
from posebus.square_pixels import SQUARE

SNAP_PX = 0.15
"""A motion below this many pixels of the small picture counts as none: it is within the error of the estimate."""
DRIFT_PX = 0.08
"""Largest shift, in pixels of the small picture, of a camera that counts as still; more may be the beginning of a
motion."""
LEFT_SHARE = 0.15
"""An object in front of the view hides it gradually; if less than this share is left at once, the camera may have
moved."""
AGAIN_PX = 3.0
"""After a motion by more than this many pixels of the small picture, it is measured once more."""
LEAST_OVERLAP = 0.6
LEAST_SHARE = 0.5
RENEW_S = 0.25
REST_FRAMES = 3
REST_S = 1.0
CLEAR_SHARE = 0.5
"""Another view shows at least this part of the detail of the one before, or it is one after DOUBT_S only: a person who
fills the view, and a picture that came damaged, show less."""
DOUBT_S = 1.0
FULL_SHARE = 0.5
"""A motion with which half of the corners agree is certain."""


class MotionEstimator:
    """Estimates the motion of one camera: call `update` with each picture in order."""

    def __init__(self) -> None:
        self._reference: Reference | None = None
        self._shot = 0
        self._size_px = (0, 0)
        self._aspect = Fraction(1)
        self._to_reference: Float64Array = np.eye(3)
        """From the shot's first frame to the reference, in pixels of the source."""
        self._reference_size_px = (0, 0)
        self._to_picture: Float64Array = np.eye(3)
        """From the reference to the last picture, in pixels of the small pictures."""
        self._at_ns = self._kept_at_ns = 0
        self._lost_at_ns: int | None = None
        """Capture time of the first of the last pictures, if they show another view than the reference."""
        self._rested = 0
        self._unmoved = 0.0
        self._moved = False
        self._matrix = NO_MOTION

    def update(
        self, grey: UInt8Array, size_px: tuple[int, int], captured_at_ns: int, aspect: Fraction = SQUARE
    ) -> CameraMotion:
        """Return the motion of the picture of `size_px` whose small grey picture is `grey` (H, W)."""
        self._at_ns = captured_at_ns
        reference = self._reference
        if reference is None:
            self._begin(grey, size_px, aspect)
            return CameraMotion(self._shot, self._matrix, 1.0)
        if aspect != self._aspect:
            return self._cut(grey, size_px, aspect)
        at_rest = size_px == self._size_px and not self._moved
        unmoved = reference.unmoved(grey) if at_rest else NOTHING
        enough = min(STILL_SHARE, max(TRACE_SHARE, LEFT_SHARE * self._unmoved))
        self._unmoved = unmoved.share
        if unmoved.share >= enough and unmoved.drift_px <= DRIFT_PX:
            return self._stay(grey, unmoved.share)
        found = self._align(reference, grey, size_px)
        if found is None:
            if unmoved.share >= TRACE_SHARE:
                return self._stay(grey, unmoved.share)
            return self._lost(reference, grey, size_px, aspect)
        self._lost_at_ns = None
        self._follow(reference, found, grey, size_px)
        if problem_of(CameraMotion(self._shot, self._matrix, 1.0)) is not None:
            return self._cut(grey, size_px, aspect)
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
                "kept_at_ns": self._kept_at_ns,
                "lost_at_ns": self._lost_at_ns,
                "rested": self._rested,
                "moved": self._moved,
                "unmoved": self._unmoved,
            },
            separators=(",", ":"),
        )

    @property
    def reference(self) -> str:
        """The reference picture as text; it stays the same while the camera is still."""
        return "" if self._reference is None else self._reference.text

    def load(self, state: str, reference: str) -> None:
        """Restore `state` and `reference` of another estimator. Raises ValueError for other texts."""
        try:
            values = load_object(state, "the state of a camera's motion")
            size_px, kept_px = (_two(values[name]) for name in ("size_px", "reference_size_px"))
            width, height = small_size_px(kept_px)
            grey = np.frombuffer(base64.b64decode(reference, validate=True), np.uint8).reshape(height, width)
            to_reference, to_picture = (_matrix(values[name]) for name in ("to_reference", "to_picture"))
            a, b, c, d, e, f = _matrix(values["matrix"])[:2].ravel().tolist()
            shot, rested, kept_at_ns = (whole(values[name]) for name in ("shot", "rested", "kept_at_ns"))
            moved, unmoved = bool(values["moved"]), float(values["unmoved"])
            lost_at_ns = None if values["lost_at_ns"] is None else whole(values["lost_at_ns"])
            aspect = Fraction(*_two(values["aspect"]))
        except (MalformedMessage, *WRONG_DATA) as error:
            raise ValueError(f"this is no state of a camera's motion: {error}") from error
        self._keep(Reference(grey), kept_px, to_reference)
        self._shot, self._aspect, self._size_px = shot, aspect, size_px
        self._to_picture, self._matrix = to_picture, (a, b, c, d, e, f)
        self._unmoved, self._lost_at_ns = unmoved, lost_at_ns
        self._rested, self._moved, self._kept_at_ns = rested, moved, kept_at_ns

    def _begin(self, grey: UInt8Array, size_px: tuple[int, int], aspect: Fraction) -> None:
        self._aspect = aspect
        self._matrix = NO_MOTION
        self._keep(Reference(grey), size_px, np.eye(3))

    def _cut(self, grey: UInt8Array, size_px: tuple[int, int], aspect: Fraction) -> CameraMotion:
        self._shot += 1
        self._begin(grey, size_px, aspect)
        return CameraMotion(self._shot, self._matrix, 1.0)

    def _lost(self, reference: Reference, grey: UInt8Array, size_px: tuple[int, int], aspect: Fraction) -> CameraMotion:
        """The picture does not match the reference: a cut, unless one of the two shows nothing."""
        fresh = Reference(grey)
        if not fresh.has_texture:
            self._lost_at_ns = None
        else:
            if reference.has_texture and not reference.resembles(grey, self._to_picture):
                first_ns = self._lost_at_ns = self._at_ns if self._lost_at_ns is None else self._lost_at_ns
                lasting = abs(self._at_ns - first_ns) >= DOUBT_S * 1e9
                if lasting or fresh.detail >= CLEAR_SHARE * reference.detail:
                    return self._cut(grey, size_px, aspect)
            if not reference.has_texture:  # this is the first picture of the shot that shows anything
                self._keep(fresh, size_px, self._absolute(self._to_picture))
        return CameraMotion(self._shot, self._matrix, 0.0)

    def _keep(self, reference: Reference, size_px: tuple[int, int], to_reference: Float64Array) -> None:
        self._reference = reference
        self._reference_size_px = self._size_px = size_px
        self._to_reference = to_reference
        self._to_picture = np.eye(3)
        self._kept_at_ns = self._at_ns
        self._lost_at_ns = None
        self._rested, self._moved = 0, False

    def _stay(self, grey: UInt8Array, unmoved: float) -> CameraMotion:
        """The camera is still; the picture becomes the reference if much has changed in it."""
        self._lost_at_ns = None
        if unmoved < LEAST_SHARE and self._age_s() >= RENEW_S:
            self._renew(grey, self._absolute(self._to_picture))
        return CameraMotion(self._shot, self._matrix, round(min(1.0, unmoved / STILL_SHARE), 2))

    def _renew(self, grey: UInt8Array, to_picture: Float64Array) -> None:
        """Make the last picture the reference, unless it shows too little."""
        fresh = Reference(grey)
        if fresh.has_texture:
            self._keep(fresh, self._size_px, to_picture)

    def _age_s(self) -> float:
        return abs(self._at_ns - self._kept_at_ns) / 1e9

    def _align(self, reference: Reference, grey: UInt8Array, size_px: tuple[int, int]) -> Alignment | None:
        if size_px == self._size_px:
            return _near(reference, grey, self._to_picture)
        stretched, *others = resizings(self._size_px, size_px)
        found = _near(reference, grey, stretched @ self._to_picture)
        for other in others:
            if found is None or found.share < FULL_SHARE:
                rival = reference.align(grey, other @ self._to_picture)
                if rival is not None and (found is None or rival.share > found.share):
                    found = rival
        return found

    def _follow(self, reference: Reference, found: Alignment, grey: UInt8Array, size_px: tuple[int, int]) -> None:
        moved_px = distance_px(found.to_picture, self._to_picture, grey.shape)
        if size_px == self._size_px and moved_px < SNAP_PX:
            self._rested += 1
        else:
            self._rested = 0
            self._moved = True
            self._to_picture = found.to_picture
            self._size_px = size_px
            self._matrix = _rounded(self._absolute(self._to_picture))
        overlap = overlap_of(self._to_picture, reference.grey.shape, grey.shape)
        rests = self._rested >= REST_FRAMES and (self._moved or self._age_s() >= REST_S)
        old = self._rested == 0 or self._age_s() >= RENEW_S
        outdated = overlap < LEAST_OVERLAP or (found.share < LEAST_SHARE and old)
        if outdated or rests:
            # A shift too small to be a motion may be the beginning of one.
            self._renew(grey, self._absolute(found.to_picture))

    def _absolute(self, to_picture: Float64Array) -> Float64Array:
        """Return the matrix (3, 3) from the shot's first frame to the last picture, in pixels of the source."""
        found: Float64Array = (
            to_source(self._size_px)
            @ to_picture
            @ np.linalg.inv(to_source(self._reference_size_px))
            @ self._to_reference
        )
        return found


def _near(reference: Reference, grey: UInt8Array, expected: Float64Array) -> Alignment | None:
    """Return how `grey` lies over the reference, which is expected near a matrix (3, 3), or anywhere with a shift."""
    found = reference.align(grey, expected)
    if found is None:
        shift = shift_between(reference.grey, laid_over(grey, expected, reference.grey))
        found = None if shift is None else reference.align(grey, expected @ shift)
    if found is None or distance_px(found.to_picture, expected, grey.shape) < AGAIN_PX:
        return found
    # Corners are found more exactly where the pictures differ less.
    return reference.align(grey, found.to_picture, nearly=True) or found


def _two(values: Any) -> tuple[int, int]:
    first, second = (whole(value, least=1) for value in values)
    return first, second


def _matrix(values: Any) -> Float64Array:
    """Return the first two rows of a map as a matrix (3, 3). Raises ValueError for other numbers."""
    rows = np.array([float(value) for value in values], np.float64).reshape(2, 3)
    if not np.isfinite(rows).all() or np.linalg.det(rows[:, :2]) <= 0.0:
        raise ValueError("its matrix is not that of a camera")
    return np.vstack((rows, (0.0, 0.0, 1.0)))


def _rounded(matrix: Float64Array) -> tuple[float, float, float, float, float, float]:
    (a, b, c), (d, e, f), _ = matrix.tolist()
    return round(a, 8), round(b, 8), round(c, 3), round(d, 8), round(e, 8), round(f, 3)
