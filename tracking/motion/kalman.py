"""A Kalman filter of many bodies at once, in real time: every quantity is a position with a velocity that fades.

Each of the C columns of a body (box centre and size) is filtered by itself, so that the covariance is one symmetric
2x2 matrix per column, all steps are closed-form, and nothing is ever inverted.

Motion model: the velocity is an Ornstein-Uhlenbeck process (R. Singer, "Estimating optimal filter tracking performance
for manned maneuvering targets", IEEE TAES 1970, one derivative lower): it keeps its course for about `persistence_s`
and its standard deviation over all bodies is `speed`. The discrete step is exact, so predicting 30 ms and then 50 ms
is the same as predicting 80 ms: dropped frames and any frame rate are covered by the one set of constants. Unlike
constant velocity a body that is not seen slows down, and its uncertainty grows only as fast as a body can move.

What is believed of T bodies is one float64 array (5, T, C), whose planes are position, velocity, variance of the
position, covariance of the two, variance of the velocity. Units: pixels and seconds; `speed`, `jitter` and `drift` are
relative to the size of the body.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array
from tracking.compiled import compiled

POSITION, VELOCITY, VAR_POSITION, COVARIANCE, VAR_VELOCITY = range(5)
PLANES = 5


class Motion(NamedTuple):
    """How bodies move, one value per column.

    speed: standard deviation of the velocity in body sizes per second; persistence_s: how long a velocity lasts;
    jitter: standard deviation of a measurement in body sizes; drift: random walk of the position that no velocity
    explains, in body sizes per square root of a second; together_s: how long errors of measurements last, so that those
    of neighbouring frames say the same thing twice and do not make the filter surer than they should.
    """

    speed: tuple[float, ...]
    persistence_s: tuple[float, ...]
    jitter: tuple[float, ...]
    drift: tuple[float, ...]
    together_s: tuple[float, ...]


def begin(measured_px: Float64Array, size_px: Float64Array, motion: Motion) -> Float64Array:
    """Beliefs after one measurement (T, C) of bodies of size (T,): at rest, as unsure of it as bodies differ."""
    size = size_px[:, None]
    beliefs = np.zeros((PLANES, *measured_px.shape))
    beliefs[POSITION] = measured_px
    beliefs[VAR_POSITION] = (np.array(motion.jitter) * size) ** 2
    beliefs[VAR_VELOCITY] = (np.array(motion.speed) * size) ** 2
    return beliefs


@compiled
def predict(beliefs: Float64Array, dt_s: float, size_px: Float64Array, motion: Motion) -> Float64Array:
    """Beliefs `dt_s` seconds later, for bodies of size (T,); exact for any dt_s >= 0."""
    later = np.empty_like(beliefs)
    for column in range(beliefs.shape[2]):
        tau, speed2 = motion.persistence_s[column], motion.speed[column] ** 2
        faded = -math.expm1(-dt_s / tau)
        decay, reach = 1.0 - faded, tau * faded
        # Of the order of dt_s cubed: rounding would make it negative where dt_s is next to nothing.
        wandered = max(2.0 * dt_s - reach * (2.0 + faded), 0.0)
        grown_position = speed2 * tau * wandered + motion.drift[column] ** 2 * dt_s
        grown_covariance = speed2 * reach * faded
        grown_velocity = speed2 * (1.0 - decay * decay)
        for body in range(beliefs.shape[1]):
            size2 = size_px[body] ** 2
            velocity = beliefs[VELOCITY, body, column]
            covariance = beliefs[COVARIANCE, body, column]
            var_velocity = beliefs[VAR_VELOCITY, body, column]
            along = covariance + reach * var_velocity
            later[POSITION, body, column] = beliefs[POSITION, body, column] + velocity * reach
            later[VELOCITY, body, column] = velocity * decay
            later[VAR_POSITION, body, column] = (
                beliefs[VAR_POSITION, body, column] + reach * (covariance + along) + size2 * grown_position
            )
            later[COVARIANCE, body, column] = decay * along + size2 * grown_covariance
            later[VAR_VELOCITY, body, column] = decay * decay * var_velocity + size2 * grown_velocity
    return later


@compiled
def correct(beliefs: Float64Array, body: int, measured_px: Float64Array, jitter_px: Float64Array) -> None:
    """Correct, in place, what is believed of one body by its measured positions (C,), of standard deviations (C,)."""
    for column in range(beliefs.shape[2]):
        var_position, covariance = beliefs[VAR_POSITION, body, column], beliefs[COVARIANCE, body, column]
        noise = jitter_px[column] ** 2
        gain_position = var_position / (var_position + noise)
        gain_velocity = covariance / (var_position + noise)
        surprise = measured_px[column] - beliefs[POSITION, body, column]
        beliefs[POSITION, body, column] += gain_position * surprise
        beliefs[VELOCITY, body, column] += gain_velocity * surprise
        beliefs[VAR_POSITION, body, column] = gain_position * noise
        beliefs[COVARIANCE, body, column] = (1.0 - gain_position) * covariance
        beliefs[VAR_VELOCITY, body, column] -= gain_velocity * covariance
