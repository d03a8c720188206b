"""A Kalman filter of many bodies at once, in real time: each quantity is a position with a velocity that decays.

Each of the C columns of a body (box centre and size) is filtered by itself, so that the covariance is one symmetric
2x2 matrix per column, all steps are closed-form, and no matrix is ever inverted.

Motion model: the velocity is an Ornstein-Uhlenbeck process (R. Singer, "Estimating optimal filter tracking performance
for manned maneuvering targets", IEEE TAES 1970, one derivative lower): it keeps its course for about `persistence_s`
and its standard deviation over all bodies is `velocity_std`. The discrete step is exact, so predicting 30 ms and then
50 ms is the same as predicting 80 ms: one set of constants covers dropped frames and any frame rate. Unlike with
constant velocity, a body without measurements slows down, and its uncertainty grows only as fast as a body can move.

The states of T bodies are one float64 array (5, T, C), whose planes are position, velocity, variance of the position,
covariance of the two, variance of the velocity. Units: pixels and seconds.
"""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import Float64Array, IndexArray
from tracking.body_model import KalmanParameters
from tracking.compiled import compiled

POSITION, VELOCITY, VAR_POSITION, COVARIANCE, VAR_VELOCITY = range(5)
PLANES = 5

MAX_NIS = 25.0
"""A box that is five standard deviations off is a wrong box; a larger value would only be remembered for longer."""


def initiate(measured_px: Float64Array, body_px: Float64Array, motion: KalmanParameters) -> Float64Array:
    """States (5, T, C) after one measurement (T, C) of bodies of size (T,): at rest, as uncertain as bodies differ."""
    size = body_px[:, None]
    states = np.zeros((PLANES, *measured_px.shape))
    states[POSITION] = measured_px
    states[VAR_POSITION] = (np.array(motion.measurement_std) * size) ** 2
    states[VAR_VELOCITY] = (np.array(motion.velocity_std) * size) ** 2
    return states


@compiled
def predict(states: Float64Array, dt_s: float, body_px: Float64Array, motion: KalmanParameters) -> Float64Array:
    """States (5, T, C) `dt_s` seconds later.

    Args:
        states: (5, T, C), left as they are.
        dt_s: seconds to predict; the step is exact for any value from 0 on.
        body_px: (T,) sizes of the bodies.
        motion: parameters of the C columns.
    """
    motion = KalmanParameters(*motion)
    later = np.empty_like(states)
    for column in range(states.shape[2]):
        tau, speed2 = motion.persistence_s[column], motion.velocity_std[column] ** 2
        faded = -math.expm1(-dt_s / tau)
        decay, reach = 1.0 - faded, tau * faded
        # Of the order of dt_s cubed: rounding would make it negative where dt_s is next to nothing.
        wandered = max(2.0 * dt_s - reach * (2.0 + faded), 0.0)
        grown_position = speed2 * tau * wandered + motion.drift[column] ** 2 * dt_s
        grown_covariance = speed2 * reach * faded
        grown_velocity = speed2 * (1.0 - decay * decay)
        for body in range(states.shape[1]):
            size2 = body_px[body] ** 2
            velocity = states[VELOCITY, body, column]
            covariance = states[COVARIANCE, body, column]
            var_velocity = states[VAR_VELOCITY, body, column]
            along = covariance + reach * var_velocity
            later[POSITION, body, column] = states[POSITION, body, column] + velocity * reach
            later[VELOCITY, body, column] = velocity * decay
            later[VAR_POSITION, body, column] = (
                states[VAR_POSITION, body, column] + reach * (covariance + along) + size2 * grown_position
            )
            later[COVARIANCE, body, column] = decay * along + size2 * grown_covariance
            later[VAR_VELOCITY, body, column] = decay * decay * var_velocity + size2 * grown_velocity
    return later


def widen(states: Float64Array, bodies: IndexArray, factor: float, jump_std_px: Float64Array) -> None:
    """Widen, in place, the states of some bodies: they move more than the model assumes, or their boxes jumped.

    Args:
        states: (5, T, C); columns 0 and 1, the centre, change.
        bodies: (B,) rows of the bodies.
        factor: of the standard deviations of position and velocity.
        jump_std_px: (B,) standard deviations of a jump of the centre, which says nothing about the velocity.
    """
    states[VAR_POSITION:, bodies, :2] *= factor**2
    states[VAR_POSITION, bodies, :2] += jump_std_px[:, None] ** 2


@compiled
def update(states: Float64Array, body: int, measured_px: Float64Array, std_px: Float64Array) -> None:
    """Update the state of one body, in place, with a measurement.

    Args:
        states: (5, T, C).
        body: row of the body.
        measured_px: (C,) measured positions.
        std_px: (C,) their standard deviations.
    """
    for column in range(states.shape[2]):
        var_position, covariance = states[VAR_POSITION, body, column], states[COVARIANCE, body, column]
        noise = std_px[column] ** 2
        gain_position = var_position / (var_position + noise)
        gain_velocity = covariance / (var_position + noise)
        innovation = measured_px[column] - states[POSITION, body, column]
        states[POSITION, body, column] += gain_position * innovation
        states[VELOCITY, body, column] += gain_velocity * innovation
        states[VAR_POSITION, body, column] = gain_position * noise
        states[COVARIANCE, body, column] = (1.0 - gain_position) * covariance
        states[VAR_VELOCITY, body, column] -= gain_velocity * covariance


@compiled
def centre_nis(states: Float64Array, body: int, measured_px: Float64Array, std_px: Float64Array) -> float:
    """Normalised innovation squared of a body's centre, as the mean of x and y, at most MAX_NIS.

    The expected value is 1. Arguments are those of `update`, before it is called.

    Source: Y. Bar-Shalom, X. Li, T. Kirubarajan, "Estimation with applications to tracking and navigation", 2001.
    """
    total = 0.0
    for axis in range(2):
        innovation = measured_px[axis] - states[POSITION, body, axis]
        total += innovation**2 / (states[VAR_POSITION, body, axis] + std_px[axis] ** 2) / 2.0
    return min(total, MAX_NIS)
