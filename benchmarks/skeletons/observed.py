"""What a network reports of a body before a camera: errors of joints, confidences, missed joints and missed people.

Sizes of errors and confidences are those of `benchmarks.scenes.joints`, which were measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from benchmarks.scenes.camera import Camera
from benchmarks.scenes.joints import (
    CONFIDENCE,
    CONFIDENCE_SPREAD,
    CONFIDENCE_TIME_S,
    ERROR,
    ERROR_TIME_S,
    FAR_SIDE,
    HIDDEN_TIMES,
    OUT_OF_REACH,
    SHAKE,
    TURNED_AWAY,
)
from benchmarks.scenes.noise import sigmoid
from posebus.arrays import Float32Array, Float64Array

MISSED_ABOVE = 1.7
MISSED_TIME_S = 0.3
"""A lasting noise above this means that the person is not detected: one time in twenty."""

BLIND_ABOVE = 1.6
BLIND_TIME_S = 0.8
"""The same for a joint: its confidence drops and its place is wrong."""

BLIND_LOGIT = -5.0
BLIND_ERROR = 5.0

LEAST_JOINTS = 5
"""A person with fewer joints in view is not detected."""

MARGIN = 0.06
"""Of the box around the joints, in body heights."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A body at S moments. true_px: (S, 17, 2); in_view: (S, 17); logits: (S, 17) of the confidences without errors;
    height_px: (S,) of the upright body at this distance; boxes_xyxy_px: (S, 4) without errors."""

    size_px: tuple[int, int]
    true_px: Float64Array
    in_view: np.ndarray
    logits: Float64Array
    height_px: Float64Array
    boxes_xyxy_px: Float64Array
    detected: np.ndarray
    noises: dict[str, Float64Array]
    found_px: Float64Array

    def rows(self, at: np.ndarray) -> Observed:
        """The body at the given moments."""
        return replace(
            self,
            true_px=self.true_px[at],
            in_view=self.in_view[at],
            logits=self.logits[at],
            height_px=self.height_px[at],
            boxes_xyxy_px=self.boxes_xyxy_px[at],
            detected=self.detected[at],
            found_px=self.found_px[at],
        )

    def with_errors(self, noise: float, missing: float, at: np.ndarray) -> Observed:
        """The same with errors; `noise` and `missing` are factors, `at` the moments of these rows."""
        noises = {name: values[at] for name, values in self.noises.items()}
        blind = noises["blind"] > BLIND_ABOVE / max(missing, 1e-9)
        deviation = ERROR * np.where(blind, BLIND_ERROR, np.where(self.in_view, 1.0, HIDDEN_TIMES))
        error = deviation[..., None] * noises["error"] + SHAKE[:, None] * noises["shake"]
        logits = self.logits + CONFIDENCE_SPREAD * noises["confidence"] + np.where(blind, BLIND_LOGIT, 0.0)
        missed = noises["missed"][:, 0] > MISSED_ABOVE / max(missing, 1e-9)
        box_error = 0.01 * noise * self.height_px[:, None] * noises["box"]
        return replace(
            self,
            found_px=self.true_px + noise * error * self.height_px[:, None, None],
            logits=logits,
            detected=self.detected & ~missed,
            boxes_xyxy_px=_clipped(self.boxes_xyxy_px + box_error, self.size_px),
        )

    def keypoints_px(self) -> Float32Array:
        """x, y, confidence (S, 17, 3)."""
        return np.concatenate([self.found_px, sigmoid(self.logits)[..., None]], axis=2).astype(np.float32)


def observed(
    times_s: Float64Array, body_m: Float64Array, camera: Camera, hidden_below_m: float, rng: np.random.Generator
) -> Observed:
    """The body (S, 17, 3) before the camera, without errors, but with the noises from which these are made.

    Errors last by the clock, so that they do not depend on the frame rate.
    """
    true_px, depth_m = camera.project(body_m)
    width, height = camera.size_px
    inside = (true_px >= 0).all(axis=-1) & (true_px[..., 0] < width) & (true_px[..., 1] < height) & (depth_m > 0.5)
    in_view = inside & (body_m[..., 2] >= hidden_below_m)
    height_px = camera.focal_px * 1.75 / depth_m.mean(axis=1)
    logits = CONFIDENCE + _turned(body_m) + np.where(in_view, 0.0, OUT_OF_REACH)
    margin = MARGIN * height_px
    low = np.where(in_view[..., None], true_px, np.inf).min(axis=1)
    high = np.where(in_view[..., None], true_px, -np.inf).max(axis=1)
    low[:, 1] -= margin  # the crown is above the eyes
    boxes = np.concatenate([low - margin[:, None] / 2, high + margin[:, None] / 2], axis=1)
    boxes = np.where(in_view.any(axis=1)[:, None], _clipped(boxes, camera.size_px), 0.0)
    step_s = float(times_s[1] - times_s[0])
    shapes = {
        "blind": ((17,), BLIND_TIME_S),
        "error": ((17, 2), ERROR_TIME_S),
        "shake": ((17, 2), 0.0),
        "confidence": ((17,), CONFIDENCE_TIME_S),
        "missed": ((1,), MISSED_TIME_S),
        "box": ((4,), 0.2),
    }
    noises = {name: _lasting(len(times_s), shape, time_s, step_s, rng) for name, (shape, time_s) in shapes.items()}
    detected = (in_view.sum(axis=1) >= LEAST_JOINTS) & ((boxes[:, 2:] - boxes[:, :2]).min(axis=1) > 8)
    return Observed(camera.size_px, true_px, in_view, logits, height_px, boxes, detected, noises, true_px)


def _turned(body_m: Float64Array) -> Float64Array:
    """Logits (S, 17) that are added for faces turned away and arms behind the trunk."""
    out = np.zeros(body_m.shape[:2])
    nose, ears = body_m[:, 0], body_m[:, 3:5].mean(axis=1)
    ahead = nose - ears
    view = -ears[:, :2] / np.maximum(np.linalg.norm(ears[:, :2], axis=1), 0.1)[:, None]
    facing = (ahead[:, :2] * view).sum(axis=1) / np.maximum(np.linalg.norm(ahead, axis=1), 1e-6)
    out[:, :3] += np.interp(facing, (-0.4, 0.2), (TURNED_AWAY, 0.0))[:, None]
    across = body_m[:, 5] - body_m[:, 6]
    towards = (across[:, :2] * view).sum(axis=1) / np.maximum(np.linalg.norm(across, axis=1), 1e-6)
    for ear, arm, sign in ((3, [7, 9], 1.0), (4, [8, 10], -1.0)):
        out[:, ear] += np.interp(sign * towards, (-0.7, 0.0), (TURNED_AWAY, 0.0))
        out[:, arm] += np.interp(sign * towards, (-0.8, -0.2), (FAR_SIDE, 0.0))[:, None]
    return out


def _lasting(
    count: int, shape: tuple[int, ...], lasts_s: float, step_s: float, rng: np.random.Generator
) -> Float64Array:
    """Noise (count, *shape) of deviation 1 whose values last about `lasts_s` seconds; 0: each is independent."""
    white = rng.standard_normal((count, *shape))
    if lasts_s <= 0:
        return white
    keep = float(np.exp(-step_s / lasts_s))
    scale = np.sqrt(1 - keep * keep)
    # The filter starts as if it had run forever, so that the first value is as uncertain as all others.
    out, _ = lfilter([scale], [1.0, -keep], white, axis=0, zi=keep * rng.standard_normal((1, *shape)))
    return np.asarray(out)


def _clipped(boxes: Float64Array, size_px: tuple[int, int]) -> Float64Array:
    return np.clip(boxes, 0.0, [size_px[0], size_px[1]] * 2)
