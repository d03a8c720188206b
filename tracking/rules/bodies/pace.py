"""How fast each person moves over the ground, in body heights a second, from places that tremble. Pure.

**Place.** The middle of the trunk, by shoulders and hips that are seen, or else as the box says. Limbs that swing do
not move it, and the picture's border does not cut it.

**Speed across** is the slope of a straight line through the last places, by least squares with weights that fall with
age, so that it is the same at any frame rate. A place counts by its time: errors of successive frames are alike.
A place that no body reaches begins a new line, as where two tracks exchange their people.

**Speed towards the camera** is seen as growth: who is D heights away, and comes closer by v heights a second, grows by
the part v / D a second. D follows from the height in the picture and the angle of view. Growth is so small for people
who are far away that only the part of it counts which its own errors do not explain.

**The camera's motion** is in the velocities that the tracker reports, if the camera estimates its motion. Without that,
people show it whose legs are still and who move all the same.
"""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from tracking.body_model.skeleton import ANKLE, HIP, SEEN_CONFIDENCE, SHOULDER
from tracking.compiled import compiled
from tracking.rules.bodies.posture import cut_by_borders

MEMORY_S, GROWTH_MEMORY_S = 0.45, 1.0
"""Ages at which places, and heights in the picture, count 1/e."""

ALIKE_S = 0.1
"""For about this long the errors of boxes and keypoints stay the same."""

KNOWN_AFTER_S = 0.45
"""A speed is known once a person was followed for this long."""

UNSEEN_S = 0.8
"""Without a new place for this long, a person is followed anew."""

JUMP, JUMP_PER_S2 = 0.35, 1.5
"""How far from the line a body may be, in heights, and how much further by the square of the seconds since the last
place: sprinters speed up by 3 heights a second each second. Who is further away is another person."""

TRUNK_MIDDLE = 0.674
"""Height of the middle of the trunk, and half the distance of shoulders and hips is 0.144."""

VIEW_WIDTHS = 0.9
"""A camera's focal length in widths of its picture: a view of 58 degrees."""

LEAST_ERROR_PX = 3.0
"""Of the height of a box."""

CERTAIN = 1.5
"""Standard deviations of growth that count as its errors."""

STILL_LEGS = 0.13
"""Standard deviation of the distance between both feet, in heights, below which legs are still: 0.25 to 0.5 for people
who walk or run past the camera, 0.07 for people of 60 pixels who stand, as keypoints are 3 pixels off."""

APART = 0.5
"""Heights a second by which the velocity that a tracker reports is another one than that in the picture."""

(
    LAST_S,
    SINCE_S,
    WEIGHT,
    TIMES,
    TIMES2,
    XS,
    YS,
    TIMES_XS,
    TIMES_YS,
    HEIGHTS,
    REPORTED_X,
    REPORTED_Y,
    G_WEIGHT,
    G_TIMES,
    G_TIMES2,
    GS,
    GS2,
    TIMES_GS,
    L_WEIGHT,
    LEGS_X,
    LEGS_Y,
    LEGS2,
    ORIGIN_X,
    ORIGIN_Y,
) = range(24)
PACE = 24
"""Columns of what is remembered of a track: weighted sums, with times relative to LAST_S and places to the ORIGIN."""

VX, VY, HEIGHT_PX, GROWTH, GROWN_PX, LEGS, KNOWN = range(7)
MOTION = 7
"""Columns of the result. VX, VY: pixels a second, over the ground where the tracker knows it. GROWTH: part of the
height a second, less its errors; GROWN_PX: the height that grew so, on average of the same time. LEGS: how much they
swing in heights, -1 if they are not seen. KNOWN: 1 once there is a speed."""


@compiled
def follow_pace(
    state: Float64Array,
    boxes_px: Float64Array,
    joints_px: Float64Array,
    heights_px: Float64Array,
    velocities_px_s: Float64Array,
    fresh: BoolArray,
    frame: tuple[float, float, float],
    out: Float64Array,
) -> None:
    """Take the places of people in a frame, and fill `out` (N, MOTION) with how they move.

    Args:
        state: (N, PACE), changed; LAST_S is -1 for a new person.
        boxes_px: (N, 4).
        joints_px: (N, 17, 3), confidence 0 where there are none.
        heights_px: (N,) of the bodies upright.
        velocities_px_s: (N, 2) that the tracker reports, 0 if it does not.
        fresh: (N,) whether the person was detected; otherwise the state stays.
        frame: width and height of the picture, and its capture time in seconds.
        out: (N, MOTION).
    """
    size_px, now_s = (frame[0], frame[1]), frame[2]
    for row in range(len(state)):
        if fresh[row]:
            _see(state[row], boxes_px[row], joints_px[row], heights_px[row], velocities_px_s[row], size_px, now_s)
        _read(state[row], out[row])


@compiled
def _middle(box_px: Float64Array, joints_px: Float64Array, height_px: float) -> tuple[float, float]:
    x, y, count = 0.0, 0.0, 0
    for first, below in ((SHOULDER, 0.144), (HIP, -0.144)):
        for joint in (first, first + 1):
            if joints_px[joint, 2] >= SEEN_CONFIDENCE:
                x, y, count = x + joints_px[joint, 0], y + joints_px[joint, 1] + below * height_px, count + 1
    if count:
        return x / count, y / count
    return 0.5 * (box_px[0] + box_px[2]), box_px[3] - TRUNK_MIDDLE * (box_px[3] - box_px[1])


@compiled
def _restart(state: Float64Array, x: float, y: float, now_s: float) -> None:
    state[:] = 0.0
    state[LAST_S], state[SINCE_S], state[ORIGIN_X], state[ORIGIN_Y] = now_s, now_s, x, y


@compiled
def _fade(state: Float64Array, dt_s: float) -> None:
    """Let time pass: sums relative to the time of the last place become those relative to this one."""
    kept = math.exp(-dt_s / MEMORY_S)
    state[TIMES2] = kept * (state[TIMES2] - 2 * dt_s * state[TIMES] + dt_s**2 * state[WEIGHT])
    state[TIMES] = kept * (state[TIMES] - dt_s * state[WEIGHT])
    state[TIMES_XS] = kept * (state[TIMES_XS] - dt_s * state[XS])
    state[TIMES_YS] = kept * (state[TIMES_YS] - dt_s * state[YS])
    for column in (WEIGHT, XS, YS, HEIGHTS, REPORTED_X, REPORTED_Y):
        state[column] *= kept
    kept = math.exp(-dt_s / GROWTH_MEMORY_S)
    state[G_TIMES2] = kept * (state[G_TIMES2] - 2 * dt_s * state[G_TIMES] + dt_s**2 * state[G_WEIGHT])
    state[G_TIMES] = kept * (state[G_TIMES] - dt_s * state[G_WEIGHT])
    state[TIMES_GS] = kept * (state[TIMES_GS] - dt_s * state[GS])
    for column in (G_WEIGHT, GS, GS2, L_WEIGHT, LEGS_X, LEGS_Y, LEGS2):
        state[column] *= kept


@compiled
def _slope(weight: float, times: float, times2: float, values: float, times_values: float) -> tuple[float, float]:
    """The slope of a line by its weighted sums, and the weighted square of the times around their mean."""
    spread = times2 - times * times / weight
    if spread <= 1e-6:
        return 0.0, 0.0
    return (times_values - times * values / weight) / spread, spread


@compiled
def _see(
    state: Float64Array,
    box_px: Float64Array,
    joints_px: Float64Array,
    height_px: float,
    velocity_px_s: Float64Array,
    size_px: tuple[float, float],
    now_s: float,
) -> None:
    x, y = _middle(box_px, joints_px, height_px)
    dt_s = now_s - state[LAST_S]
    if state[LAST_S] < 0.0 or dt_s > UNSEEN_S or dt_s < 0.0:
        _restart(state, x, y, now_s)
        dt_s = ALIKE_S
    elif dt_s == 0.0:
        return
    else:
        _fade(state, dt_s)
        vx, _ = _slope(state[WEIGHT], state[TIMES], state[TIMES2], state[XS], state[TIMES_XS])
        vy, _ = _slope(state[WEIGHT], state[TIMES], state[TIMES2], state[YS], state[TIMES_YS])
        # The line begins with one place, and knows no speed before the third one: then a runner may be anywhere near.
        free = 6.0 * dt_s if now_s - state[SINCE_S] < 0.25 or state[TIMES2] <= 1e-6 else 0.0
        limit = (JUMP + JUMP_PER_S2 * dt_s * dt_s + free) * height_px
        at_s = state[TIMES] / state[WEIGHT]
        off_x = x - state[ORIGIN_X] - (state[XS] / state[WEIGHT] - vx * at_s)
        off_y = y - state[ORIGIN_Y] - (state[YS] / state[WEIGHT] - vy * at_s)
        if math.hypot(off_x, off_y) > limit:
            _restart(state, x, y, now_s)
            dt_s = ALIKE_S
    weight = min(dt_s, ALIKE_S) / ALIKE_S
    state[LAST_S] = now_s
    state[WEIGHT] += weight
    state[XS] += weight * (x - state[ORIGIN_X])
    state[YS] += weight * (y - state[ORIGIN_Y])
    state[HEIGHTS] += weight * height_px
    if abs(velocity_px_s[0]) < np.inf and abs(velocity_px_s[1]) < np.inf:
        state[REPORTED_X] += weight * velocity_px_s[0]
        state[REPORTED_Y] += weight * velocity_px_s[1]
    cut_above, cut_below = cut_by_borders(box_px, size_px[1])
    if not cut_above and not cut_below:
        grown = math.log(max(box_px[3] - box_px[1], 1.0))
        state[G_WEIGHT] += weight
        state[GS] += weight * grown
        state[GS2] += weight * grown * grown
    if joints_px[ANKLE, 2] >= SEEN_CONFIDENCE and joints_px[ANKLE + 1, 2] >= SEEN_CONFIDENCE:
        legs_x = (joints_px[ANKLE, 0] - joints_px[ANKLE + 1, 0]) / height_px
        legs_y = (joints_px[ANKLE, 1] - joints_px[ANKLE + 1, 1]) / height_px
        state[L_WEIGHT] += weight
        state[LEGS_X] += weight * legs_x
        state[LEGS_Y] += weight * legs_y
        state[LEGS2] += weight * (legs_x * legs_x + legs_y * legs_y)


@compiled
def _read(state: Float64Array, out: Float64Array) -> None:
    out[:] = 0.0
    out[LEGS] = -1.0
    weight = state[WEIGHT]
    if state[LAST_S] < 0.0 or weight <= 0.0:
        return
    out[HEIGHT_PX] = height_px = state[HEIGHTS] / weight
    out[KNOWN] = 1.0 if state[LAST_S] - state[SINCE_S] >= KNOWN_AFTER_S else 0.0
    out[VX], _ = _slope(weight, state[TIMES], state[TIMES2], state[XS], state[TIMES_XS])
    out[VY], _ = _slope(weight, state[TIMES], state[TIMES2], state[YS], state[TIMES_YS])
    reported_x, reported_y = state[REPORTED_X] / weight, state[REPORTED_Y] / weight
    if reported_x != 0.0 or reported_y != 0.0:
        apart = math.hypot(reported_x - out[VX], reported_y - out[VY])
        if apart > APART * height_px:
            out[VX], out[VY] = reported_x, reported_y
    out[GROWN_PX], growths = height_px, state[G_WEIGHT]
    if growths > 0.0:
        out[GROWN_PX] = math.exp(state[GS] / growths)
        slope, spread = _slope(growths, state[G_TIMES], state[G_TIMES2], state[GS], state[TIMES_GS])
        if spread > 0.0:
            rest = (state[GS2] - state[GS] * state[GS] / growths - slope * slope * spread) / growths
            error = math.sqrt(max(rest, (LEAST_ERROR_PX / height_px) ** 2) / spread)
            out[GROWTH] = math.copysign(max(abs(slope) - CERTAIN * error, 0.0), slope)
    swings = state[L_WEIGHT]
    if swings >= 1.2:
        mean_x, mean_y = state[LEGS_X] / swings, state[LEGS_Y] / swings
        out[LEGS] = math.sqrt(max(state[LEGS2] / swings - mean_x * mean_x - mean_y * mean_y, 0.0))
