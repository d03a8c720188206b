"""How each body came to its present height above the ground: standing height, ground, and how fast it went down. Pure.

A body's height is that of its top above the ground under it, in its own standing heights: 1 standing, 0.75 on a chair,
0.5 sitting on the floor, 0.1 to 0.5 lying, depending on the view. Of the past, only the last moments above some heights
are kept, interpolated between frames, so that the speed of a descent is the same at any frame rate.
"""

from __future__ import annotations

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from tracking.body_model.skeleton import ANKLE_HEIGHT, HIP_HEIGHT, SHOULDER_HEIGHT, TRUNK
from tracking.compiled import compiled
from tracking.rules.bodies.heights import (
    BONES_BIAS,
    LEVELS,
    crossed_s,
    depth_in_height,
    guessed_px,
    rates,
    top_px,
)
from tracking.rules.bodies.lying import looks
from tracking.rules.bodies.posture import (
    ANKLE_Y_PX,
    BONES_PX,
    BOTTOM_PX,
    CUT_BELOW,
    HIP_Y_PX,
    SHOULDER_Y_PX,
    STANDING_PX,
    TOP_PX,
    TRUNK_PX,
    TRUNK_RADIANS,
    UPRIGHT_RADIANS,
)

DOWN_BELOW, UP_ABOVE, UP_S = 0.58, 0.64, 0.3
"""A body is down below the first height, and up again after it was above the second one for this long. One frame with a
wrong box, as detectors have them of people who lie, changes nothing."""

UPRIGHT_UNSURE = 0.58
"""Instead of UPRIGHT_ABOVE for a person who was not seen standing: the longest bone often makes bodies too tall."""

UP_BY = 0.15
"""And it has to be this much above its lowest height since it went down."""

UPRIGHT_ABOVE, UPRIGHT_S, UPRIGHT_AGAIN_S = 0.66, 0.25, 1.0
"""A body stands, walks or sits on a chair after this long above this height; the second time after it was down for
longer than a second, since people who get up hold on to something, kneel and sink back."""

FEET_RISE, BOX_RISES, BOX_SINKS = 0.6, 0.3, 0.6
"""Heights a second by which the ground under a person moves in the picture at most: up with feet that are seen, and
while they are not, up or down with the box. Otherwise people would shrink from below as they walk behind a desk, and
keep their height as they fall towards the camera."""

SHRINKS = 0.2
"""Part a second by which a standing height becomes smaller at most: that of a person who walks away from the camera.
Bodies that fall away from it shrink as a whole too, but faster."""

TALL_LEAST, RISE_SHRINKS, FORGETS_S = 0.9, 1.2, 3.0
"""A standing height is at least the first part of the tallest one of late, less so much for each height by which the
ground has risen since: who walks away rises in the picture, who falls away does not. The tallest one is forgotten over
the last time."""

LEAST_OF_BONES, STANDS_S = 0.75, 0.3
"""A body that was not seen standing yet stands if it is measured so for the second time, and not smaller than this part
of what its bones say: someone who falls off a chair is straight for a moment, and short."""

SITS_ABOVE, SITS_AFTER_S = 0.5, 2.0
"""A body that is down, but was never below this height for this long, sits or squats, and may fall from there."""

RESTS_S = 0.7
"""Time over which the height of an upright body is averaged: it is lower on a chair."""

SETTLES_S = 0.4
"""Time over which the standing height is averaged."""

LANDS_S, LOOKS_S = 0.25, 0.5
"""After a body was first down, it goes on falling for the first time; then its looks are averaged over the second."""

CROUCHED_S = 1.5
"""Time over which a crouch on the way down is forgotten: after it people lie down, or begin to exercise."""

JUMP = 1.2
"""Standing heights between frames that a body does not move: then the track is on another person."""

(
    SEEN_AT_S,
    STANDING,
    SURE,
    GROUND,
    HEIGHT,
    MIDDLE_X,
    MIDDLE_Y,
    DOWN,
    DOWN_AT_S,
    RISEN_AT_S,
    UPRIGHT_AT_S,
    WAS_DOWN_S,
    RATE,
    LOWEST,
    LIES,
    CROUCHES,
    BENDS,
    JUDGED_S,
    WHOLE_RATE,
    TALL,
    TALL_GROUND,
    RESTED,
    MEASURED_S,
    TOPPLES,
) = range(24)
LAST_ABOVE_S = 24
STATE = LAST_ABOVE_S + len(LEVELS)
"""Columns of the state of a track. Times in seconds, -1 for never.

STANDING: standing height in pixels, SURE: 1 if it was measured standing. GROUND: y of the ground. HEIGHT: of the top of
the body. DOWN: 1 while the body is down, since DOWN_AT_S. RISEN_AT_S: since when it is above UPRIGHT_ABOVE, or, while
down, above UP_ABOVE. UPRIGHT_AT_S: last moment at which it stood or sat. WAS_DOWN_S: how long it was down before it
rose. RATE: heights a second of the fastest part of the way down, WHOLE_RATE: of the fastest part that is most of it.
LOWEST: least height since then. LIES, CROUCHES, BENDS: how it looks since it landed, averaged for JUDGED_S. TALL,
TALL_GROUND: tallest standing height of late, and the ground under it. RESTED: average height while upright. TOPPLES:
1 if it toppled when last seen, see `toppling`. MEASURED_S: for how long it was measured standing before that was
believed. From LAST_ABOVE_S on: the last moments above the LEVELS, until the body was first below them.
"""


@compiled
def follow(state: Float64Array, boxes_px: Float64Array, measures: Float64Array, fresh: BoolArray, now_s: float) -> None:
    """Update the states (N, STATE) of bodies seen in this frame, in place; SEEN_AT_S is -1 for a new one.

    Args:
        state: as described at STATE.
        boxes_px: (N, 4).
        measures: (N, MEASURES) of `posture.measure`.
        fresh: (N,) whether the body was seen; otherwise its state stays.
        now_s: capture time.
    """
    for row in range(len(state)):
        if fresh[row]:
            follow_one(state[row], boxes_px[row], measures[row], now_s)


@compiled
def follow_one(state: Float64Array, box_px: Float64Array, measures: Float64Array, now_s: float) -> None:
    """`follow` of one body."""
    x, y = 0.5 * (box_px[0] + box_px[2]), 0.5 * (box_px[1] + box_px[3])
    before_s = state[SEEN_AT_S]
    first = before_s < 0.0 or now_s <= before_s
    if not first:
        jump = max(abs(x - state[MIDDLE_X]), abs(y - state[MIDDLE_Y]))
        first = jump > JUMP * state[STANDING] and now_s - before_s < 0.5
    dt_s = 0.0 if first else now_s - before_s
    if first:
        state[:] = -1.0
        state[SURE] = state[DOWN] = 0.0
    state[SEEN_AT_S], state[MIDDLE_X], state[MIDDLE_Y] = now_s, x, y
    _follow_standing(state, measures, dt_s)
    _follow_ground(state, measures, dt_s, first)
    _remember_tall(state, dt_s)
    height = min(max((state[GROUND] - top_px(measures, state[STANDING])) / state[STANDING], 0.0), 1.2)
    short = depth_in_height(measures, state[GROUND], state[STANDING]) if state[SURE] > 0.0 else 0.0
    _follow_height(state, height, max(height - short, 0.0), before_s, now_s, first)
    state[HEIGHT] = height
    _judge(state, measures, dt_s, now_s)


@compiled
def _follow_standing(state: Float64Array, measures: Float64Array, dt_s: float) -> None:
    standing, known = measures[STANDING_PX], state[STANDING]
    bones = measures[BONES_PX] / BONES_BIAS
    share = 1.0 - np.exp(-dt_s / SETTLES_S)
    if standing == standing and state[SURE] < 1.0:
        if standing < LEAST_OF_BONES * max(bones, known) or state[DOWN] > 0.0:
            standing = np.nan
        else:
            state[MEASURED_S] = max(state[MEASURED_S], 0.0) + dt_s
            if known < 0.0 or state[MEASURED_S] >= STANDS_S:
                state[STANDING], state[SURE] = standing, 1.0
                return
    if standing == standing and state[SURE] > 0.0:
        least = known * (1.0 - SHRINKS * dt_s)
        if state[TALL] > 0.0:
            rise = max(state[TALL_GROUND] - state[GROUND], 0.0)
            least = max(least, min(known, TALL_LEAST * state[TALL] - RISE_SHRINKS * rise))
        state[STANDING] = max(known + share * (standing - known), least)
        return
    if state[SURE] < 1.0:
        # Not seen upright yet: the longest bone, or the box where there are no keypoints.
        guess = guessed_px(measures)
        if known < 0.0 or (bones <= 0.0 and guess > known):
            state[STANDING] = guess
        else:
            state[STANDING] = max(known + share * (guess - known), 1.0)
    elif bones > known and measures[TRUNK_RADIANS] <= UPRIGHT_RADIANS and measures[CUT_BELOW] > 0.0:
        # Comes close to the camera, the feet out of the picture.
        state[STANDING] = max(known, known + share * (measures[TRUNK_PX] / TRUNK - known))


@compiled
def _remember_tall(state: Float64Array, dt_s: float) -> None:
    """Keep the tallest standing height of late with its ground."""
    if state[SURE] < 1.0:
        return
    if state[STANDING] >= state[TALL]:
        state[TALL], state[TALL_GROUND] = state[STANDING], state[GROUND]
        return
    share = 1.0 - np.exp(-dt_s / FORGETS_S)
    state[TALL] += share * (state[STANDING] - state[TALL])
    state[TALL_GROUND] += share * (state[GROUND] - state[TALL_GROUND])


@compiled
def _follow_ground(state: Float64Array, measures: Float64Array, dt_s: float, first: bool) -> None:
    standing = state[STANDING]
    if measures[CUT_BELOW] > 0.0:
        # The feet are below the picture: the ground is where a body of this height has it.
        if measures[TRUNK_RADIANS] <= UPRIGHT_RADIANS:
            ground = measures[HIP_Y_PX] + HIP_HEIGHT * standing
        elif measures[SHOULDER_Y_PX] == measures[SHOULDER_Y_PX] and measures[HIP_Y_PX] != measures[HIP_Y_PX]:
            ground = measures[SHOULDER_Y_PX] + SHOULDER_HEIGHT * standing
        elif measures[HIP_Y_PX] == measures[HIP_Y_PX]:
            ground = state[GROUND]
        else:
            ground = measures[TOP_PX] + standing
        state[GROUND] = max(ground, measures[BOTTOM_PX])
        return
    if measures[ANKLE_Y_PX] == measures[ANKLE_Y_PX]:
        target, rises, sinks = measures[ANKLE_Y_PX] + ANKLE_HEIGHT * standing, FEET_RISE, np.inf
    else:
        target, rises, sinks = measures[BOTTOM_PX], BOX_RISES, BOX_SINKS
    if first:
        state[GROUND] = target
    else:
        step = standing * dt_s
        state[GROUND] = min(max(target, state[GROUND] - rises * step), state[GROUND] + sinks * step)


@compiled
def _follow_height(state: Float64Array, height: float, real: float, before_s: float, now_s: float, first: bool) -> None:
    before = height if first else state[HEIGHT]
    down = state[DOWN] > 0.0
    upright = UPRIGHT_ABOVE if state[SURE] > 0.0 else UPRIGHT_UNSURE
    rest = max(UP_ABOVE, state[LOWEST] + UP_BY) if down else upright
    if down and state[LOWEST] >= SITS_ABOVE and now_s - state[DOWN_AT_S] >= SITS_AFTER_S:
        rest = upright
    if real < rest:
        state[RISEN_AT_S] = -1.0
    elif state[RISEN_AT_S] < 0.0:
        state[RISEN_AT_S] = now_s if first else crossed_s(rest, before, height, before_s, now_s)
    risen_s = now_s - state[RISEN_AT_S] if state[RISEN_AT_S] >= 0.0 else -1.0
    if down and risen_s >= UP_S:
        down = False
        state[WAS_DOWN_S] = state[RISEN_AT_S] - state[DOWN_AT_S]
        state[DOWN], state[DOWN_AT_S], state[RATE], state[WHOLE_RATE] = 0.0, -1.0, -1.0, -1.0
        state[LAST_ABOVE_S:] = -1.0
    rests_s = UPRIGHT_S if state[WAS_DOWN_S] < 1.0 else UPRIGHT_AGAIN_S
    if not down and real >= upright and risen_s >= rests_s:
        state[UPRIGHT_AT_S], state[WAS_DOWN_S] = now_s, -1.0
        if not first:
            share = 1.0 - np.exp(-(now_s - before_s) / RESTS_S) if state[RESTED] > 0.0 else 1.0
            state[RESTED] += share * (height - state[RESTED])
    for index in range(len(LEVELS)):
        level, at = LEVELS[index], LAST_ABOVE_S + index
        if down and level > state[LOWEST]:
            continue
        if height >= level:
            state[at] = now_s
        elif before >= level and not first:
            state[at] = crossed_s(level, before, height, before_s, now_s)
    if real < DOWN_BELOW and not down:
        state[DOWN], state[LOWEST], state[RISEN_AT_S] = 1.0, height, -1.0
        state[DOWN_AT_S] = now_s if first else crossed_s(DOWN_BELOW, before, height, before_s, now_s)
    elif down:
        state[LOWEST] = min(state[LOWEST], height)
    if state[DOWN] > 0.0:
        state[RATE], state[WHOLE_RATE] = rates(state[LAST_ABOVE_S:], state[LOWEST], state[RESTED])


@compiled
def _judge(state: Float64Array, measures: Float64Array, dt_s: float, now_s: float) -> None:
    """Average how the body looks since it landed."""
    if state[DOWN] <= 0.0 or now_s - state[DOWN_AT_S] < LANDS_S:
        state[JUDGED_S] = -1.0
        return
    lies, crouches, bends = looks(measures, state[HEIGHT], state[GROUND], state[STANDING])
    if state[JUDGED_S] < 0.0:
        state[LIES], state[CROUCHES], state[BENDS], state[JUDGED_S] = lies, crouches, bends, 0.0
        return
    share = 1.0 - np.exp(-dt_s / LOOKS_S)
    state[LIES] += share * (lies - state[LIES])
    rests = share if crouches > state[CROUCHES] else 1.0 - np.exp(-dt_s / CROUCHED_S)
    state[CROUCHES] += rests * (crouches - state[CROUCHES])
    state[BENDS] += share * (bends - state[BENDS])
    state[JUDGED_S] += dt_s
