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
    ANKLE_X_PX,
    ANKLE_Y_PX,
    HEAD_Y_PX,
    HIP_X_PX,
    HIP_Y_PX,
    KNEE_Y_PX,
    SHOULDER_Y_PX,
    STRAIGHT_LEGS,
    TRUNK_RADIANS,
    WIDTH_PX,
)


@compiled
def ramp(value: float, none: float, full: float) -> float:
    """0 at `none`, 1 at `full`, and linear between them; `none` may be the larger one. NaN stays NaN."""
    return min(max((value - none) / (full - none), 0.0), 1.0)


@compiled
def _lies_along_the_view(trunk: float, hips: float, knees: float) -> float:
    """0 to 1: looks as if it lies away from a camera that looks down on it; all in standing heights in the picture.

    Its hips are higher in the picture than those of anyone who squats, its trunk is shorter than that of anyone who
    sits or kneels, and its knees are not on the ground. Who bends has higher hips.
    """
    if trunk != trunk or knees != knees:
        return 0.0
    return ramp(trunk, 0.18, 0.12) * ramp(hips, 0.20, 0.28) * ramp(hips, 0.50, 0.43) * ramp(knees, 0.13, 0.19)


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
    knees = measures[KNEE_Y_PX] - measures[HIP_Y_PX]
    if legs == legs and trunk == trunk:
        straight = ramp(degrees, 75.0, 60.0) if trunk > 0.0 and legs >= STRAIGHT_LEGS * trunk else 0.0
        if knees == knees and legs > 0.0:
            # Of straight legs the knees are in the middle; of someone who squats and leans forward they are high.
            straight *= ramp(knees / legs, 0.2, 0.35)
    hips_low = ramp(hips, 0.48, 0.34)
    level = ramp(degrees, 50.0, 80.0) * hips_low
    head_down = ramp(degrees, 95.0, 130.0) * hips_low
    low = ramp(height, 0.48, 0.30)
    wide = ramp(width, 0.55, 0.85) * ramp(height, 0.62, 0.50)
    view = ramp(degrees, 60.0, 30.0) * ramp(hips, 0.15, 0.25)
    away = AWAY * straight * view * ramp(height, 0.72, 0.60)
    short = _lies_along_the_view(trunk / standing_px, hips, (ground_px - measures[KNEE_Y_PX]) / standing_px)
    away = max(away, AWAY * short)
    lies = 1.0 - (1.0 - level) * (1.0 - head_down) * (1.0 - low) * (1.0 - wide) * (1.0 - away)
    crouches = ramp(head - hips, 0.12, 0.22) * (1.0 - straight) * ramp(degrees, 70.0, 50.0)
    if knees == knees:
        # The hips rest on thighs that stand on the knees: kneeling, also on all fours.
        crouches = max(crouches, ramp(knees / standing_px, 0.14, 0.22) * (1.0 - straight))
    aside = abs(measures[HIP_X_PX] - measures[ANKLE_X_PX]) / standing_px
    if legs == legs and aside == aside:
        # Or on the feet under them, though the trunk is level.
        crouches = max(crouches, ramp(legs / standing_px, 0.06, 0.13) * ramp(aside, 0.3, 0.2) * (1.0 - straight))
    # The head of someone who crouches is not on the ground.
    crouches *= ramp(height, 0.27, 0.37) * (1.0 - short)
    bends = ramp(hips, 0.42, 0.52) * ramp(width, 0.85, 0.65)
    return lies, crouches, bends


BASE, BY_LYING, BY_CROUCHING, BY_BENDING, BY_SPEED, BY_WHOLE = -0.3, 0.5, -3.7, -4.0, 4.3, 1.0
SLOWEST, SLOWEST_WHOLE, FASTEST, LEAST_LYING = 0.4, 0.3, 2.5, 0.48
UNLIKELY = -3.0
"""Log odds of a fall: those of its looks, and of the logarithms of its speeds within limits, near those of a logistic
regression on scripted scenes. A body that surely lies came down at nearly one height a second, or 1.7 m/s, in a part
of its way: people who lie down, kneel or crouch lower themselves at less than half of that, or in parts."""


@compiled
def fall_log_odds(lies: float, crouches: float, bends: float, rate: float, whole_rate: float) -> float:
    """Log odds that a body on the ground fell.

    Args:
        lies, crouches, bends: as `looks`, averaged.
        rate: heights a second, of the fastest part of the way down; -1 for none.
        whole_rate: of the fastest part that is most of the way.
    """
    if lies < LEAST_LYING:
        return UNLIKELY
    looks_like = BY_LYING * lies + BY_CROUCHING * crouches + BY_BENDING * bends
    fast = BY_SPEED * math.log(min(max(rate, SLOWEST), FASTEST))
    return BASE + looks_like + fast + BY_WHOLE * math.log(min(max(whole_rate, SLOWEST_WHOLE), FASTEST))
