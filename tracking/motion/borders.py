"""What the border of the picture does to tracks: it cuts their boxes, and people enter and leave across it."""

from __future__ import annotations

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from tracking import body_model as model
from tracking.body_model import MIN_SIDE_PX
from tracking.compiled import compiled
from tracking.motion.kalman import POSITION, VAR_VELOCITY, VELOCITY

STANDS_STILL = (0.0, 0.0, 0.0, 0.0)
"""`push_px_s` of a camera that stands still: see `is_leaving`."""


@compiled
def is_leaving(
    states: Float64Array,
    track: int,
    body_px: float,
    size_px: tuple[int, int],
    push_px_s: tuple[float, float, float, float],
    borders: model.Borders,
) -> bool:
    """Whether one track, as predicted now, reaches a border of the picture and walks out across it.

    Its velocity is relative to the scene. Where the camera moves faster than the person, the camera turned away, and
    the person did not leave.

    Args:
        states: (5, T, 4) Kalman states.
        track: row of the track.
        body_px: size of its body.
        size_px: (width, height) of the picture.
        push_px_s: speed at which the camera recently moved the scene out of the picture at the left, top, right,
        bottom.
        borders: constants.
    """
    border_px, speed_px_s = borders.near * body_px, borders.leaving_speed * body_px
    for axis in range(2):
        centre, half = states[POSITION, track, axis], max(states[POSITION, track, axis + 2], MIN_SIDE_PX) / 2.0
        speed = states[VELOCITY, track, axis]
        if centre - half <= border_px and speed < -max(speed_px_s, push_px_s[axis]):
            return True
        if centre + half >= size_px[axis] - border_px and speed > max(speed_px_s, push_px_s[2 + axis]):
            return True
    return False


@compiled
def reaches_border(box: Float64Array, axis: int, size_px: tuple[int, int], borders: model.Borders) -> bool:
    """Whether a box (4,) of centre x, y, width, height reaches a border of the picture along `axis`, 0 or 1."""
    half, border_px = box[2 + axis] / 2.0, borders.near * max(box[2], box[3])
    return bool(box[axis] - half <= border_px or box[axis] + half >= size_px[axis] - border_px)


def widened_at_border(
    states: Float64Array, body_px: Float64Array, entering: BoolArray, size_px: tuple[int, int]
) -> Float64Array:
    """States in which people who are just entering may grow at a speed that is not known yet.

    For frames that are not inferred: from one frame to the next a box hardly grows, but within a fifth of a second by
    half, and the person would then get a second identity.

    Args:
        states: (5, T, 4) Kalman states, left as they are.
        body_px: (T,) sizes of the bodies.
        entering: (T,) mask of the tracks that may be entering; only those that reach a border change.
        size_px: (width, height) of the picture.
    """
    states = states.copy()
    border_px = model.BORDERS.near * body_px
    for axis in range(2):
        half = states[POSITION, :, 2 + axis] / 2.0
        cut = states[POSITION, :, axis] - half <= border_px
        cut |= states[POSITION, :, axis] + half >= size_px[axis] - border_px
        # The centre of a box that grows at one end moves half as fast as the box grows.
        for column, part in ((axis, 0.5), (2 + axis, 1.0)):
            variance = (part * model.BORDERS.entering_speed * body_px) ** 2
            known = states[VAR_VELOCITY, :, column]
            states[VAR_VELOCITY, :, column] = np.where(entering & cut, np.maximum(known, variance), known)
    return states


@compiled
def is_sliver(box: Float64Array, size_px: tuple[int, int], borders: model.Borders) -> bool:
    """Whether a box (4,) at a side of the picture is so narrow that the person is all but out of it."""
    return bool(box[2] < borders.sliver * box[3] and reaches_border(box, 0, size_px, borders))
