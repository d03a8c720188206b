"""Ways in which cameras move: shaken, panned, zoomed, turned to a preset, held in a hand, flown.

All functions take the frames' times in seconds (T,) and return matrices (T, 3, 3) from pixels of the still camera's
picture to pixels of the moving one. Times are those of the scene, so the motion does not depend on the frame rate.
"""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array

SHAKE_HZ = 3.0
"""A mast in the wind, a pole beside a road: a few oscillations a second."""

HAND = ((0.3, 14.0), (0.9, 9.0), (2.1, 5.0), (4.5, 1.5))
"""Frequency in Hz and amplitude in pixels of a camera held by a person who stands and breathes."""

HAND_ROLL_DEG = 0.8
WALKING = 3.0
"""The factor on these amplitudes while that person walks."""


def shifts(x_px: Float64Array, y_px: Float64Array) -> Float64Array:
    """Matrices (T, 3, 3) that shift the picture by x_px, y_px (T,): what stands still moves that far."""
    matrices = np.tile(np.eye(3), (len(x_px), 1, 1))
    matrices[:, 0, 2], matrices[:, 1, 2] = x_px, y_px
    return matrices


def scaled(factors: Float64Array, middle_px: tuple[float, float], turned: Float64Array | None = None) -> Float64Array:
    """Matrices (T, 3, 3) that enlarge by the factors (T,) around a point, and turn by the angles (T,) in radians."""
    angle = np.zeros(len(factors)) if turned is None else turned
    cos, sin = factors * np.cos(angle), factors * np.sin(angle)
    x, y = middle_px
    matrices = np.tile(np.eye(3), (len(factors), 1, 1))
    matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 0, 2] = cos, -sin, x - cos * x + sin * y
    matrices[:, 1, 0], matrices[:, 1, 1], matrices[:, 1, 2] = sin, cos, y - sin * x - cos * y
    return matrices


def progress(times_s: Float64Array, begin_s: float, length_s: float) -> Float64Array:
    """From 0 before begin_s to 1 after length_s, with a soft start and end; at once where length_s is 0."""
    if length_s == 0:
        return np.asarray(times_s >= begin_s, float)
    part = np.clip((times_s - begin_s) / length_s, 0.0, 1.0)
    return np.asarray(part * part * (3 - 2 * part))


def shake(times_s: Float64Array, amplitude_px: float, rng: np.random.Generator) -> Float64Array:
    """Oscillations of SHAKE_HZ sideways and, smaller and slower, up and down."""
    across, down = rng.uniform(0, 2 * np.pi, 2)
    turns = 2 * np.pi * SHAKE_HZ * times_s
    return shifts(amplitude_px * np.sin(turns + across), 0.6 * amplitude_px * np.sin(0.8 * turns + down))


def pan(times_s: Float64Array, distance_px: float, begin_s: float, length_s: float) -> Float64Array:
    """The camera turns aside: the picture's content moves by distance_px to the right."""
    return shifts(distance_px * progress(times_s, begin_s, length_s), np.zeros(len(times_s)))


def zoom(
    times_s: Float64Array, factor: float, begin_s: float, length_s: float, middle_px: tuple[float, float]
) -> Float64Array:
    """The focal length grows by `factor`, evenly in its logarithm, as zoom motors move."""
    return scaled(factor ** progress(times_s, begin_s, length_s), middle_px)


def hand(
    times_s: Float64Array, rng: np.random.Generator, middle_px: tuple[float, float], strength: float = 1.0
) -> Float64Array:
    """A camera in a hand: a sum of slow and quick oscillations, and a little roll, all `strength` times as large."""
    offsets = np.zeros((3, len(times_s)))
    for hz, amplitude_px in HAND:
        phases = rng.uniform(0, 2 * np.pi, 3)
        offsets += strength * amplitude_px * np.sin(2 * np.pi * hz * times_s + phases[:, None]) / HAND[0][1]
    roll = scaled(np.ones(len(times_s)), middle_px, np.deg2rad(HAND_ROLL_DEG) * offsets[2])
    return np.asarray(shifts(HAND[0][1] * offsets[0], 0.7 * HAND[0][1] * offsets[1]) @ roll)


def drone(times_s: Float64Array, rng: np.random.Generator, middle_px: tuple[float, float]) -> Float64Array:
    """A drone that drifts 30 px, turns 4 degrees and climbs or sinks 3 % a second, and sways a little."""
    course, side = rng.uniform(0, 2 * np.pi), rng.choice([-1.0, 1.0])
    turned = scaled(np.exp(0.03 * side * times_s), middle_px, np.deg2rad(4.0) * side * times_s)
    sway = 6.0 * np.sin(2 * np.pi * 0.5 * times_s[None] + rng.uniform(0, 2 * np.pi, 2)[:, None])
    x_px, y_px = 30.0 * times_s * np.array([[np.cos(course)], [np.sin(course)]]) + sway
    return np.asarray(shifts(x_px, y_px) @ turned)
