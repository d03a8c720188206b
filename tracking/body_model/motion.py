"""How bodies move, and what the borders of the picture do to them."""

from __future__ import annotations

from typing import NamedTuple


class KalmanParameters(NamedTuple):
    """How bodies move, one value per column of the filter (`tracking.motion.kalman`).

    velocity_std: standard deviation of the velocity over all bodies, in body sizes per second.
    persistence_s: time over which a velocity decays.
    measurement_std: standard deviation of a measurement, in body sizes.
    drift: random walk of the position that no velocity explains, in body sizes per square root of a second.
    error_memory_s: time over which measurement errors are correlated. Neighbouring frames then repeat the same error,
    and must not make the filter surer than it should be.
    """

    velocity_std: tuple[float, ...]
    persistence_s: tuple[float, ...]
    measurement_std: tuple[float, ...]
    drift: tuple[float, ...]
    error_memory_s: tuple[float, ...]


MOTION = KalmanParameters(
    velocity_std=(0.6, 0.3, 0.05, 0.15),
    persistence_s=(6.0, 4.0, 0.5, 0.5),
    measurement_std=(0.04, 0.04, 0.06, 0.08),
    drift=(0.03, 0.03, 0.1, 0.03),
    error_memory_s=(0.0, 0.0, 0.4, 0.0),
)
"""Columns are box centre x, centre y, width, height. People keep their course for seconds and mostly move sideways. The
box's height changes with every joint that is hidden, but not for long. Its width swings with every step, so only a
change that outlasts a step counts."""


class Borders(NamedTuple):
    """People at the border of the picture and behind others; lengths in body sizes."""

    near: float = 0.05
    """A box within this distance of the border of the picture reaches it."""
    leaving_speed: float = 0.1
    """Speed towards the border, in body sizes per second, above which a person at the border is leaving."""
    cut_measurement_std: float = 0.01
    """Standard deviation of a measured width or height that the border cuts: the box ends exactly there."""
    sliver: float = 0.12
    """Largest width, in heights of the box, of a sliver at a side of the picture: a third of a narrow body."""
    hidden_share: float = 0.25
    """Share of a predicted box that another person must cover to explain why the track was not detected."""
    hidden_position_std: float = 0.25
    """A hidden person is reported while the standard deviation of its position is below this."""
    entering_s: float = 0.6
    """For this long a person who is cut by the border counts as entering ..."""
    entering_speed: float = 1.5
    """... and may grow or move on at this speed, in body sizes per second (one standard deviation)."""


BORDERS = Borders()
