"""The gait of walking and running bodies, as joint angles of the phase and the speed."""

from __future__ import annotations

import numpy as np

from benchmarks.scenes.bodies import LEG_M, STANCE
from benchmarks.scenes.walkers import stride_hz
from benchmarks.skeletons.pose import COLUMN
from posebus.arrays import Float64Array


def phases(speed_m_s: Float64Array, dt_s: float, first: float) -> Float64Array:
    """Phases (T,) in radians of a gait that begins at `first`, for speeds (T,) at times `dt_s` apart."""
    return np.asarray(first + 2 * np.pi * np.cumsum(stride_hz(speed_m_s)) * dt_s)


def add_gait(angles: Float64Array, speed_m_s: Float64Array, phase: Float64Array, swing: float) -> None:
    """Add the swing of legs and arms to angles (T, 16), in place; `swing` is a factor around 1 of the arms' swing."""
    stance_m = speed_m_s * STANCE / (2 * np.pi * np.maximum(stride_hz(speed_m_s), 0.2))
    amplitude = np.arcsin(np.minimum(stance_m / 2 / LEG_M, 0.7))
    running = np.clip(speed_m_s - 2.0, 0.0, 1.0)
    angles[:, COLUMN["trunk"]] += 0.04 * np.clip(speed_m_s, 0, 1) + 0.1 * running
    for suffix, shift in (("_l", 0.0), ("_r", np.pi)):
        turn = (phase + shift) % (2 * np.pi)
        forward = np.clip((turn - STANCE) / (2 * np.pi - STANCE), 0.0, 1.0) * np.pi
        place = np.where(turn < STANCE, 1.0 - 2.0 * turn / STANCE, -np.cos(forward))
        lifted = np.sin(forward)
        angles[:, COLUMN["thigh" + suffix]] += amplitude * (place + 0.2 * lifted)
        angles[:, COLUMN["knee" + suffix]] += (1.4 + 1.2 * running) * amplitude * lifted
        angles[:, COLUMN["arm" + suffix]] -= (0.55 + 0.35 * running) * swing * amplitude * place
        angles[:, COLUMN["elbow" + suffix]] += 0.3 * amplitude + 1.0 * running
