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

HANDS_UP, CROUCHING, FALL = range(3)
SIGNS = 3
"""Columns. HANDS_UP, CROUCHING: 1 if so, UNSEEN if the joints that would show it are not seen. FALL: log odds that the
body, which is down, fell; NEVER while that is not to be asked."""

NEVER = -99.0
UNSEEN = -1.0

ARMS_UP = 0.15
"""How far above the shoulders, in standing heights, both wrists are with hands up: higher than the eyes."""

HIPS_OVER_ANKLES, FEET_UNDER = 0.215, 0.2
"""A crouching body has its hips at most so far above the ankles (0.26 on a chair, 0.16 in a squat), and the ankles not
farther aside, as they are in front of someone who sits on the ground."""

TRUNK_CROUCHING = math.radians(75.0)
TRUNK_HANDS_UP = math.radians(50.0)

JUDGED_AT_LEAST_S, JUDGED_UNTIL_S = 0.35, 2.0
FROM_UPRIGHT_S = 1.2
"""A fall is decided after the body was seen on the ground for the first time, and no later than the second one after it
was down. It was upright at most the third one before."""

STAYS_WITHIN = 0.15
"""Heights above its lowest one within which a body on the ground stays: one that squats comes up again at once."""


@compiled
def read_signs(state: Float64Array, measures: Float64Array, out: Float64Array) -> None:
    """Fill `out` (N, SIGNS).

    Args:
        state: (N, STATE) of `descent`, after this frame.
        measures: (N, MEASURES) of `posture`.
    """
    for row in range(len(state)):
        body, measured, standing = state[row], measures[row], state[row, STANDING]
        out[row, FALL] = NEVER
        if standing <= 0.0:
            out[row, HANDS_UP] = out[row, CROUCHING] = 0.0
            continue
        out[row, HANDS_UP] = _hands_up(measured, standing)
        out[row, CROUCHING] = _crouching(body, measured)
        if body[DOWN] > 0.0 and may_have_fallen(body) and body[JUDGED_S] >= JUDGED_AT_LEAST_S:
            out[row, FALL] = fall_log_odds(body[LIES], body[CROUCHES], body[BENDS], body[RATE], body[WHOLE_RATE])


@compiled
def may_have_fallen(body: Float64Array) -> bool:
    """Whether a body, which is down, came down from upright, and not too long ago to decide."""
    was_upright = body[UPRIGHT_AT_S] >= 0.0 and body[DOWN_AT_S] - body[UPRIGHT_AT_S] <= FROM_UPRIGHT_S
    stays = body[HEIGHT] <= body[LOWEST] + STAYS_WITHIN
    return bool(was_upright and stays and body[SEEN_AT_S] - body[DOWN_AT_S] <= JUDGED_UNTIL_S)


@compiled
def _hands_up(measured: Float64Array, standing_px: float) -> float:
    least_px = ARMS_UP * standing_px
    left_px, right_px = measured[LEFT_ARM_PX], measured[RIGHT_ARM_PX]
    if left_px < least_px or right_px < least_px or measured[TRUNK_RADIANS] > TRUNK_HANDS_UP:
        return 0.0
    return 1.0 if left_px >= least_px and right_px >= least_px else UNSEEN


@compiled
def _crouching(body: Float64Array, measured: Float64Array) -> float:
    standing = body[STANDING]
    above = (measured[ANKLE_Y_PX] - measured[HIP_Y_PX]) / standing
    aside = abs(measured[HIP_X_PX] - measured[ANKLE_X_PX]) / standing
    if above != above or aside != aside or measured[TRUNK_RADIANS] != measured[TRUNK_RADIANS]:
        return UNSEEN
    feet_below = 0.0 <= above <= HIPS_OVER_ANKLES and aside <= FEET_UNDER
    crouches = feet_below and 0.3 <= body[HEIGHT] <= 0.75 and measured[TRUNK_RADIANS] <= TRUNK_CROUCHING
    return 1.0 if crouches else 0.0
