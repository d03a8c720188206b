"""A Kalman filter of many bodies at once, in real time: every quantity is a position with a velocity that fades.

Each of the C columns of a body (box centre and size) is filtered by itself, so that the covariance is one symmetric
2x2 matrix per column, all steps are closed-form numpy expressions over (T, C) arrays, and nothing is ever inverted.

Motion model: the velocity is an Ornstein-Uhlenbeck process (R. Singer, "Estimating optimal filter tracking performance
for manned maneuvering targets", IEEE TAES 1970, one derivative lower): it keeps its course for about `persistence_s`
and its standard deviation over all bodies is `speed`. The discrete step is exact, so predicting 30 ms and then 50 ms
is the same as predicting 80 ms: dropped frames and any frame rate are covered by the one set of constants. Unlike
constant velocity a body that is not seen slows down, and its uncertainty grows only as fast as a body can move.

Units: pixels and seconds; `speed` and `jitter` are relative to the size of the body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Motion:
    """How bodies move, one value per column.

    speed: standard deviation of the velocity in body sizes per second; persistence_s: how long a velocity lasts;
    jitter: standard deviation of a measurement in body sizes; drift: random walk of the position that no velocity
    explains, in body sizes per square root of a second.
    """

    speed: tuple[float, ...]
    persistence_s: tuple[float, ...]
    jitter: tuple[float, ...]
    drift: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is believed of T bodies with C columns: float64, (T, C) each, pixels and pixels per second.

    The covariance of column c of body t is [[var_position, covariance], [covariance, var_velocity]][t, c].
    """

    position: Floats
    velocity: Floats
    var_position: Floats
    covariance: Floats
    var_velocity: Floats


def begin(measured_px: Floats, size_px: Floats, motion: Motion) -> Beliefs:
    """Beliefs after one measurement (T, C) of bodies of size (T,): at rest, as unsure of it as bodies differ."""
    size = size_px[:, None]
    zeros = np.zeros_like(measured_px)
    return Beliefs(
        position=measured_px,
        velocity=zeros,
        var_position=(np.array(motion.jitter) * size) ** 2,
        covariance=zeros,
        var_velocity=(np.array(motion.speed) * size) ** 2,
    )


def predict(beliefs: Beliefs, dt_s: float, size_px: Floats, motion: Motion) -> Beliefs:
    """Beliefs `dt_s` seconds later, for bodies of size (T,); exact for any dt_s >= 0."""
    tau = np.array(motion.persistence_s)
    faded = -np.expm1(-dt_s / tau)
    decay, reach = 1.0 - faded, tau * faded
    speed2 = np.array(motion.speed) ** 2
    # Of the order of dt_s cubed: rounding would make it negative where dt_s is next to nothing.
    wandered = np.maximum(2.0 * dt_s - tau * (2.0 * faded + faded**2), 0.0)
    grown_position = speed2 * tau * wandered + np.array(motion.drift) ** 2 * dt_s
    size2 = size_px[:, None] ** 2
    vel, cov, var_v = beliefs.velocity, beliefs.covariance, beliefs.var_velocity
    return Beliefs(
        position=beliefs.position + vel * reach,
        velocity=vel * decay,
        var_position=beliefs.var_position + reach * (2.0 * cov + reach * var_v) + size2 * grown_position,
        covariance=decay * (cov + reach * var_v) + size2 * (speed2 * reach**2 / tau),
        var_velocity=decay**2 * var_v + size2 * (speed2 * (1.0 - decay**2)),
    )


def correct(beliefs: Beliefs, measured_px: Floats, jitter_px: Floats) -> Beliefs:
    """Beliefs after measuring the positions (T, C) with standard deviations `jitter_px` (T, C)."""
    noise = jitter_px**2
    gain_position = beliefs.var_position / (beliefs.var_position + noise)
    gain_velocity = beliefs.covariance / (beliefs.var_position + noise)
    surprise = measured_px - beliefs.position
    return Beliefs(
        position=beliefs.position + gain_position * surprise,
        velocity=beliefs.velocity + gain_velocity * surprise,
        var_position=gain_position * noise,
        covariance=(1.0 - gain_position) * beliefs.covariance,
        var_velocity=beliefs.var_velocity - gain_velocity * beliefs.covariance,
    )
