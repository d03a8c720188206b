"""Bodies that topple: tilted as a whole so far that nothing but the ground stops them. Pure.

Networks that detect people learnt them upright, and often lose a body that topples before it is down: halfway, which is
all that is seen of such a fall.
"""

from __future__ import annotations

import math

from posebus.arrays import Float64Array
from tracking.compiled import compiled
from tracking.rules.bodies.descent import HEIGHT, LAST_ABOVE_S, SEEN_AT_S, SURE
from tracking.rules.bodies.heights import LEVELS
from tracking.rules.bodies.posture import (
    ANKLE_X_PX,
    ANKLE_Y_PX,
    HIP_X_PX,
    HIP_Y_PX,
    SHOULDER_X_PX,
    SHOULDER_Y_PX,
)

TILTED_RADIANS, EACH_RADIANS = math.radians(30.0), math.radians(12.0)
"""The line from the feet to the shoulders is tilted by the first angle at least, trunk and legs by the second, to the
same side. People who bend, squat or sit down have their hips on the other side of their feet than their shoulders, or
over them, and who runs leans by less."""

LEAST_DROP, OF_FREE = 0.08, 0.5
"""The top of the body came down by so much, in standing heights, at this part, at least, of the speed of a rod that
topples freely."""

FREE = math.sqrt(3.0 * 9.81 / 1.7)
"""Of a rod of 1.70 m without friction: tilted by t, it turns by FREE * sqrt(1 - cos t) radians a second, as its energy
says, so that its top, now at cos t heights, comes down sin t times as fast."""


@compiled
def topples(body: Float64Array, measured: Float64Array) -> bool:
    """Whether a body topples in this frame.

    Args:
        body: (STATE,) of `descent`, after this frame.
        measured: (MEASURES,) of `posture`.
    """
    if body[SURE] < 1.0:
        return False
    legs_x, legs_y = measured[HIP_X_PX] - measured[ANKLE_X_PX], measured[ANKLE_Y_PX] - measured[HIP_Y_PX]
    trunk_x, trunk_y = measured[SHOULDER_X_PX] - measured[HIP_X_PX], measured[HIP_Y_PX] - measured[SHOULDER_Y_PX]
    if not math.atan2(abs(legs_x + trunk_x), legs_y + trunk_y) >= TILTED_RADIANS or legs_x * trunk_x <= 0.0:
        return False  # also where a joint is not seen
    if math.atan2(abs(legs_x), legs_y) < EACH_RADIANS or math.atan2(abs(trunk_x), trunk_y) < EACH_RADIANS:
        return False
    height = min(body[HEIGHT], 1.0)
    least_rate = OF_FREE * FREE * math.sqrt((1.0 - height * height) * (1.0 - height))
    for index in range(len(LEVELS) - 1, -1, -1):
        drop, above_s = LEVELS[index] - body[HEIGHT], body[LAST_ABOVE_S + index]
        passed_s = body[SEEN_AT_S] - above_s
        if above_s >= 0.0 and passed_s > 0.0 and drop >= max(LEAST_DROP, least_rate * passed_s):
            return True
    return False
