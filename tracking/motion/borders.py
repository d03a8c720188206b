"""What the border of the picture does to people: it cuts their boxes, and they leave across it."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array
from tracking import body_model as model
from tracking.boxes import MIN_SIDE_PX
from tracking.compiled import compiled
from tracking.identities.track import Tracks
from tracking.motion.kalman import POSITION, VAR_VELOCITY, VELOCITY


@compiled
def leaving(
    beliefs: Float64Array, track: int, body_px: float, size_px: tuple[int, int], borders: model.Borders
) -> bool:
    """Whether one track, as predicted now, reaches a border of the picture and moves towards it."""
    border_px, speed_px_s = borders.near * body_px, borders.leaving_speed * body_px
    for axis in range(2):
        centre, half = beliefs[POSITION, track, axis], max(beliefs[POSITION, track, axis + 2], MIN_SIDE_PX) / 2.0
        speed = beliefs[VELOCITY, track, axis]
        if centre - half <= border_px and speed < -speed_px_s:
            return True
        if centre + half >= size_px[axis] - border_px and speed > speed_px_s:
            return True
    return False


@compiled
def at_border(box: Float64Array, axis: int, size_px: tuple[int, int], borders: model.Borders) -> bool:
    """Whether a box (4,), centre x, y, width, height, reaches a border of the picture along an axis, 0 or 1."""
    half, border_px = box[2 + axis] / 2.0, borders.near * max(box[2], box[3])
    return bool(box[axis] - half <= border_px or box[axis] + half >= size_px[axis] - border_px)


def entering(tracks: Tracks, size_px: tuple[int, int], seen_ns: int) -> None:
    """Expect, in place, of who was seen just now (`seen_ns`) and has only begun to come in across a border that its box
    grows, at a speed that is not known yet.

    For frames in which nobody looks: from one frame to the next a box hardly grows, but within a fifth of a second by
    half, and who is then taken for somebody else has two numbers.
    """
    young = (tracks.seen_ns == seen_ns) & (seen_ns - tracks.born_ns <= model.BORDERS.entering_s * 1e9)
    if not young.any():
        return
    beliefs = tracks.beliefs = tracks.beliefs.copy()
    border_px = model.BORDERS.near * tracks.size_px
    for axis in range(2):
        half = beliefs[POSITION, :, 2 + axis] / 2.0
        cut = beliefs[POSITION, :, axis] - half <= border_px
        cut |= beliefs[POSITION, :, axis] + half >= size_px[axis] - border_px
        for column, part in ((axis, 0.5), (2 + axis, 1.0)):  # the middle of what grows at one end moves half as fast
            variance = (part * model.BORDERS.entering_speed * tracks.size_px) ** 2
            known = beliefs[VAR_VELOCITY, :, column]
            beliefs[VAR_VELOCITY, :, column] = np.where(young & cut, np.maximum(known, variance), known)


@compiled
def is_sliver(box: Float64Array, size_px: tuple[int, int], borders: model.Borders) -> bool:
    """Whether so little of somebody at a side of the picture is in it that nobody would call that being there."""
    return bool(box[2] < borders.sliver * box[3] and at_border(box, 0, size_px, borders))
