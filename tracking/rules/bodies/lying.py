"""How much a body looks as if it lies on the ground, crouches, or bends with the hips high, in one frame. Pure.

A lying body looks different by the camera's view. Seen from the side it is wide and its trunk level; fallen towards the
camera its head is below its hips; fallen away from it, it is as straight as a standing one and in the same order, but
half as high. In all of them the hips are low.
"""

from __future__ import annotations

import math

from posebus.arrays import Float64Array
from tracking.compiled import compiled
from tracking.rules.bodies.posture import (
    ANKLE_Y_PX,
    HEAD_Y_PX,
    HIP_Y_PX,
    SHOULDER_Y_PX,
    STRAIGHT_LEGS,
    TRUNK_RADIANS,
    WIDTH_PX,
)


@compiled
def ramp(value: float, none: float, full: float) -> float:
    """0 at `none`, 1 at `full`, and linear between them; `none` may be the larger one. NaN stays NaN."""
    return min(max((value - none) / (full - none), 0.0), 1.0)


AWAY = 0.7
"""Of certainty for a body fallen away from the camera: a squat seen from the front has nearly the same joints."""


@compiled
def looks(measures: Float64Array, height: float, ground_px: float, standing_px: float) -> tuple[float, float, float]:
    """Each 0 to 1: looks as if lying, crouching, bending with the hips high.

    Args:
        measures: (MEASURES,) of the body.
        height: of its top above the ground, in standing heights.
        ground_px: y of the ground under it. standing_px: its standing height.
    """
    hips = (ground_px - measures[HIP_Y_PX]) / standing_px
    if hips != hips:
        hips = min(height - 0.05, 0.3)
    head = (ground_px - measures[HEAD_Y_PX]) / standing_px
    if head != head:
        head = height - 0.07
    degrees = math.degrees(measures[TRUNK_RADIANS])
    if degrees != degrees:
        degrees = 60.0
    width = measures[WIDTH_PX] / standing_px
    straight = 0.3
    legs, trunk = measures[ANKLE_Y_PX] - measures[HIP_Y_PX], measures[HIP_Y_PX] - measures[SHOULDER_Y_PX]
    if legs == legs and trunk == trunk:
        straight = 1.0 if trunk > 0.0 and legs >= STRAIGHT_LEGS * trunk else 0.0
    hips_low = ramp(hips, 0.48, 0.34)
    level = ramp(degrees, 50.0, 80.0) * hips_low
    head_down = ramp(degrees, 95.0, 130.0) * hips_low
    low = ramp(height, 0.48, 0.30)
    wide = ramp(width, 0.55, 0.85) * ramp(height, 0.62, 0.50)
    away = AWAY * straight * ramp(height, 0.72, 0.60) * ramp(degrees, 60.0, 30.0) * ramp(hips, 0.15, 0.25)
    lies = 1.0 - (1.0 - level) * (1.0 - head_down) * (1.0 - low) * (1.0 - wide) * (1.0 - away)
    crouches = ramp(head - hips, 0.12, 0.22) * (1.0 - straight) * ramp(degrees, 70.0, 50.0)
    bends = ramp(hips, 0.42, 0.52) * ramp(width, 0.85, 0.65)
    return lies, crouches, bends


BASE, BY_LYING, BY_CROUCHING, BY_BENDING, BY_SPEED = -2.4, 1.9, -2.3, -2.0, 5.0
SLOWEST, FASTEST, LEAST_LYING = 0.4, 2.5, 0.3
"""Log odds of a fall: those of its looks, and of the logarithm of its speed within limits, near those of a logistic
regression on scripted scenes. A body that surely lies came down at 1.1 heights a second, or 1.9 m/s, at least: people
who lie down, kneel or crouch lower themselves at less than half of that, rarely faster than 1.3 m/s."""


@compiled
def fall_log_odds(lies: float, crouches: float, bends: float, rate: float) -> float:
    """Log odds that a body on the ground fell.

    Args:
        lies, crouches, bends: as `looks`, averaged.
        rate: heights a second, of the fastest part of the way down; -1 for none.
    """
    if lies < LEAST_LYING:
        return BASE
    looks_like = BY_LYING * lies + BY_CROUCHING * crouches + BY_BENDING * bends
    return BASE + looks_like + BY_SPEED * math.log(min(max(rate, SLOWEST), FASTEST))
