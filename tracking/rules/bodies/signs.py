"""What a body does now, in one frame: signs on which the rules about bodies decide. Pure."""

from __future__ import annotations

import math

from posebus.arrays import Float64Array
from tracking.compiled import compiled
from tracking.rules.bodies.descent import (
    BENDS,
    CROUCHES,
    DOWN,
    DOWN_AT_S,
    GROWTH,
    HEIGHT,
    JUDGED_S,
    LIES,
    LOWEST,
    RATE,
    SEEN_AT_S,
    STANDING,
    UPRIGHT_AT_S,
    WHOLE_RATE,
)
from tracking.rules.bodies.lying import fall_log_odds
from tracking.rules.bodies.posture import (
    ANKLE_X_PX,
    ANKLE_Y_PX,
    HIP_X_PX,
    HIP_Y_PX,
    LEFT_ARM_PX,
    RIGHT_ARM_PX,
    TRUNK_RADIANS,
)

HANDS_UP, CROUCHING, SPEED, FALL = range(4)
SIGNS = 4
"""Columns. HANDS_UP, CROUCHING: 1 if so. SPEED: over the ground in standing heights a second, 0 for a body that is not
upright. FALL: log odds that the body, which is down, fell; NEVER while that is not to be asked."""

NEVER = -99.0

ARMS_UP = 0.15
"""How far above the shoulders, in standing heights, both wrists are with hands up: higher than the eyes."""

HIPS_OVER_ANKLES, FEET_UNDER = 0.215, 0.2
"""A crouching body has its hips at most so far above the ankles (0.26 on a chair, 0.16 in a squat), and the ankles not
farther aside, as they are in front of someone who sits on the ground."""

TRUNK_CROUCHING = math.radians(75.0)
TRUNK_HANDS_UP = math.radians(50.0)

JUDGED_AT_LEAST_S, JUDGED_UNTIL_S = 0.35, 3.0
FROM_UPRIGHT_S = 1.2
"""A fall is decided after the body was seen on the ground for the first time, and no later than the second one after it
was down. It was upright at most the third one before."""

STAYS_WITHIN = 0.15
"""Heights above its lowest one within which a body on the ground stays: one that squats comes up again at once."""

VIEW_HEIGHTS, NEAR_HEIGHTS, GROWTH_NOISE = 0.9, 8.0, 0.25
"""A camera's focal length in widths of its picture (a view of 58 degrees), for speeds towards the camera, which
are seen as growth: that of people nearer than the second one, in standing heights, less the third one."""


@compiled
def read_signs(
    state: Float64Array, measures: Float64Array, velocities_px_s: Float64Array, width_px: float, out: Float64Array
) -> None:
    """Fill `out` (N, SIGNS).

    Args:
        state: (N, STATE) of `descent`, after this frame.
        measures: (N, MEASURES) of `posture`.
        velocities_px_s: (N, 2) of the boxes, relative to the scene.
        width_px: of the picture.
    """
    for row in range(len(state)):
        body, measured, standing = state[row], measures[row], state[row, STANDING]
        out[row, SPEED], out[row, FALL] = 0.0, NEVER
        if standing <= 0.0:
            out[row, HANDS_UP] = out[row, CROUCHING] = 0.0
            continue
        arms = min(measured[LEFT_ARM_PX], measured[RIGHT_ARM_PX])
        both = measured[LEFT_ARM_PX] == measured[LEFT_ARM_PX] and measured[RIGHT_ARM_PX] == measured[RIGHT_ARM_PX]
        tilted = measured[TRUNK_RADIANS] > TRUNK_HANDS_UP
        out[row, HANDS_UP] = 1.0 if both and not tilted and arms >= ARMS_UP * standing else 0.0
        out[row, CROUCHING] = 1.0 if _is_crouching(body, measured) else 0.0
        if body[DOWN] <= 0.0:
            vx, vy = velocities_px_s[row, 0] / standing, velocities_px_s[row, 1] / standing
            out[row, SPEED] = math.hypot(vx, vy)
            distance = VIEW_HEIGHTS * width_px / standing
            if distance <= NEAR_HEIGHTS:
                towards = max(abs(body[GROWTH]) * distance - GROWTH_NOISE, 0.0)
                out[row, SPEED] = max(out[row, SPEED], math.hypot(vx, towards))
        elif may_have_fallen(body) and body[JUDGED_S] >= JUDGED_AT_LEAST_S:
            out[row, FALL] = fall_log_odds(body[LIES], body[CROUCHES], body[BENDS], body[RATE], body[WHOLE_RATE])


@compiled
def may_have_fallen(body: Float64Array) -> bool:
    """Whether a body, which is down, came down from upright, and not too long ago to decide."""
    was_upright = body[UPRIGHT_AT_S] >= 0.0 and body[DOWN_AT_S] - body[UPRIGHT_AT_S] <= FROM_UPRIGHT_S
    stays = body[HEIGHT] <= body[LOWEST] + STAYS_WITHIN
    return bool(was_upright and stays and body[SEEN_AT_S] - body[DOWN_AT_S] <= JUDGED_UNTIL_S)


@compiled
def _is_crouching(body: Float64Array, measured: Float64Array) -> bool:
    standing = body[STANDING]
    above = (measured[ANKLE_Y_PX] - measured[HIP_Y_PX]) / standing
    aside = abs(measured[HIP_X_PX] - measured[ANKLE_X_PX]) / standing
    feet_below = 0.0 <= above <= HIPS_OVER_ANKLES and aside <= FEET_UNDER
    return bool(feet_below and 0.3 <= body[HEIGHT] <= 0.75 and measured[TRUNK_RADIANS] <= TRUNK_CROUCHING)
