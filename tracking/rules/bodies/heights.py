"""Heights of a body above the ground in one frame, and how fast it came down through them. Pure.

Seen from above, a body that lies away from the camera is still high in the picture. Its trunk is then short in the
picture, though its hips are low: both of someone who stands, and of someone who bends, only one is so.
"""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array
from tracking.compiled import compiled
from tracking.rules.bodies.lying import ramp
from tracking.rules.bodies.posture import (
    BONES_PX,
    BOTTOM_PX,
    HEAD_Y_PX,
    HIP_Y_PX,
    SHOULDER_Y_PX,
    SLENDERNESS,
    TOP_PX,
)

LEVELS = np.array([0.95, 0.90, 0.85, 0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.50, 0.45, 0.40, 0.35, 0.30, 0.25])
"""Heights of which the last moment above is kept."""

LEAST_DROP = 0.25
"""A speed is that between two levels at least this far apart: between closer ones it would be that of errors."""

MOST, WAY_FROM, LEAST_FROM, BELOW_REST = 0.7, 0.85, 0.65, 0.05
"""Most of the way down begins this much below the height of rest, between the two heights: who kneels down fast lies
down slowly in the rest of it, and who falls off a chair was never as high as someone who stands."""

BONES_BIAS = 1.1
"""The longest of several bones is the one whose error makes it longest."""

DEPTH = 0.15
"""How much of the height in the picture is at least depth where the trunk is short and the hips are low."""


@compiled
def top_px(measures: Float64Array, standing_px: float) -> float:
    """The y of the highest part of head and trunk; a raised arm or leg is no part of them.

    Without head and shoulders it is the top of the box.
    """
    top = np.inf
    for y, flesh in ((measures[HEAD_Y_PX], 0.07), (measures[SHOULDER_Y_PX], 0.05), (measures[HIP_Y_PX], 0.07)):
        if y == y:
            top = min(top, y - flesh * standing_px)
    seen = measures[HEAD_Y_PX] == measures[HEAD_Y_PX] or measures[SHOULDER_Y_PX] == measures[SHOULDER_Y_PX]
    return max(top, float(measures[TOP_PX])) if seen else float(measures[TOP_PX])


@compiled
def depth_in_height(measures: Float64Array, ground_px: float, standing_px: float) -> float:
    """How much of a body's height in the picture is depth: 0 to DEPTH, in standing heights.

    A trunk of 0.288 stands; leaning or lying along the view it is shorter. Hips are at 0.53 of someone who stands or
    bends. 0 where joints are missing.
    """
    hips = (ground_px - measures[HIP_Y_PX]) / standing_px
    trunk = (measures[HIP_Y_PX] - measures[SHOULDER_Y_PX]) / standing_px
    if hips != hips or trunk != trunk:
        return 0.0
    return DEPTH * ramp(trunk, 0.24, 0.12) * ramp(hips, 0.49, 0.41)


@compiled
def guessed_px(measures: Float64Array) -> float:
    """The standing height of a body that does not stand: by its longest bone or its box, in pixels."""
    height = measures[BOTTOM_PX] - measures[TOP_PX]
    if measures[BONES_PX] > 0.0:
        return float(max(measures[BONES_PX] / BONES_BIAS, 0.97 * height))
    return float(max(0.97 * height, 0.9 * height / max(measures[SLENDERNESS], 0.1)))


@compiled
def crossed_s(level: float, before: float, height: float, before_s: float, now_s: float) -> float:
    """When a height that changed evenly between two frames was `level`; `now_s` if it is not between the two."""
    if before == height or (level - before) * (level - height) > 0.0:
        return now_s
    return before_s + (before - level) / (before - height) * (now_s - before_s)


@compiled
def fastest(above_s: Float64Array, lowest: float, least_drop: float) -> float:
    """The fastest part of a way down, of at least `least_drop`, in heights a second; -1 if none is known.

    Args:
        above_s: (L,) the last moments above the LEVELS; -1 for never.
        lowest: height that was reached.
        least_drop: in heights.
    """
    best = -1.0
    for high in range(len(LEVELS) - 1):
        for low in range(high + 1, len(LEVELS)):
            drop = LEVELS[high] - LEVELS[low]
            crossed = LEVELS[low] > lowest
            if crossed and drop >= least_drop - 1e-9 and 0.0 <= above_s[high] < above_s[low]:
                best = max(best, drop / (above_s[low] - above_s[high]))
    return best


@compiled
def rates(above_s: Float64Array, lowest: float, rested: float) -> tuple[float, float]:
    """Heights a second of the fastest part of a way down, and of the fastest part that is most of the way.

    Args:
        above_s, lowest: as for `fastest`.
        rested: height in which the body was before.
    """
    way_from = min(max(rested - BELOW_REST, LEAST_FROM), WAY_FROM)
    whole = fastest(above_s, lowest, max(MOST * (way_from - lowest), LEAST_DROP))
    return fastest(above_s, lowest, LEAST_DROP), whole
