"""Maps between the pixels of two frames, and what they do to bodies that were tracked in the first of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array
from tracking.body_model import MIN_SIDE_PX
from tracking.compiled import compiled
from tracking.motion.kalman import COVARIANCE, POSITION, VAR_POSITION, VAR_VELOCITY, VELOCITY

LARGEST_ZOOM = 16.0
"""A map that enlarges or shrinks more than this between two frames is an error."""


LARGEST_SHIFT_PX = 1e6
"""So is one that moves what is at the origin farther than this."""


class PictureMap(NamedTuple):
    """An affine map: what is at pixel (u, v) of one frame is at (a u + b v + c, d u + e v + f) of another one."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def then(self, later: PictureMap) -> PictureMap:
        """This map, followed by `later`."""
        a, b, c, d, e, f = later
        return PictureMap(
            a * self.a + b * self.d,
            a * self.b + b * self.e,
            a * self.c + b * self.f + c,
            d * self.a + e * self.d,
            d * self.b + e * self.e,
            d * self.c + e * self.f + f,
        )

    def inverse(self) -> PictureMap | None:
        """The map back, None where there is none."""
        area = self.area
        if area == 0.0 or not math.isfinite(area):
            return None
        a, b, d, e = self.e / area, -self.b / area, -self.d / area, self.a / area
        return PictureMap(a, b, -a * self.c - b * self.f, d, e, -d * self.c - e * self.f)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where the pixel (x, y) goes."""
        return self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f

    @property
    def area(self) -> float:
        """The area that one square pixel becomes, negative for a mirror image."""
        return self.a * self.e - self.b * self.d

    @property
    def is_plausible(self) -> bool:
        """Whether a picture can have moved so between two frames."""
        if not math.isfinite(sum(self)) or max(abs(self.c), abs(self.f)) > LARGEST_SHIFT_PX:
            return False
        largest = max(abs(self.a), abs(self.b), abs(self.d), abs(self.e))
        return largest <= LARGEST_ZOOM and abs(self.area) >= LARGEST_ZOOM**-2


def between(first: tuple[float, ...], second: tuple[float, ...]) -> PictureMap | None:
    """The map from one frame to another, given the maps that lead from a third frame to each of the two.

    None where they are equal, so that the picture did not move, or where no map can be computed.
    """
    if first == second:
        return None
    back = PictureMap(*first).inverse()
    if back is None:
        return None
    forth = back.then(PictureMap(*second))
    return forth if forth.is_plausible else None


@compiled
def cut_at_borders(box: Float64Array, joints: Float64Array, size_px: tuple[int, int]) -> None:
    """Cut a box (4,) of centre x, y, width, height in place where it leaves the picture, unless its centre is outside.

    The joints (K, 3), offsets from the centre, stay where they are in the picture.
    """
    for axis in range(2):
        if not 0.0 < box[axis] < size_px[axis]:
            return
    for axis in range(2):
        low = max(box[axis] - box[2 + axis] / 2.0, 0.0)
        high = min(box[axis] + box[2 + axis] / 2.0, float(size_px[axis]))
        moved = (low + high) / 2.0 - box[axis]
        box[axis] += moved
        box[2 + axis] = high - low
        for joint in range(len(joints)):
            joints[joint, axis] -= moved


@compiled
def carried_bodies(
    states: Float64Array, body_px: Float64Array, joints: Float64Array, picture: PictureMap, size_px: tuple[int, int]
) -> Float64Array:
    """States (5, T, 4) of the bodies in the pixels of another frame; `body_px` and `joints` are written to, in place.

    Centres, joints and velocities, which are relative to the scene, are mapped like points of the scene. The sides of a
    box are those of the ellipse in it after the map: a body that a rolling camera tilts keeps about its height, while
    the bounding box of its tilted box would be far too wide. Variances follow to first order; x and y stay independent,
    which is exact for shifts and scales. A box that the map pushes across a border is cut there, as a detection is,
    unless the body's centre is outside as well: then the person is not visible, and the box stays as it was.

    Args:
        states: (5, T, 4) Kalman states, left as they are.
        body_px: (T,) sizes of the bodies.
        joints: (T, K, 3) offsets from the box centre, and confidences.
        picture: the map from the old pixels to the new ones.
        size_px: (width, height) of the new picture.
    """
    carried = np.empty_like(states)
    linear = np.array(((picture.a, picture.b), (picture.d, picture.e)))
    shift = np.array((picture.c, picture.f))
    weights = np.empty((2, 2))
    for body in range(states.shape[1]):
        x, y = states[POSITION, body, 0], states[POSITION, body, 1]
        width = max(states[POSITION, body, 2], MIN_SIDE_PX)
        height = max(states[POSITION, body, 3], MIN_SIDE_PX)
        for axis in range(2):
            along_x, along_y = linear[axis, 0], linear[axis, 1]
            carried[POSITION, body, axis] = along_x * x + along_y * y + shift[axis]
            side = math.sqrt((along_x * width) ** 2 + (along_y * height) ** 2)
            carried[POSITION, body, 2 + axis] = side
            # Derivatives of the new side by the old width and height.
            weights[axis, 0], weights[axis, 1] = along_x**2 * width / side, along_y**2 * height / side
        for axis in range(2):
            for first, part in ((0, linear[axis]), (2, weights[axis])):
                column = first + axis
                carried[VELOCITY, body, column] = (
                    part[0] * states[VELOCITY, body, first] + part[1] * states[VELOCITY, body, first + 1]
                )
                for plane in (VAR_POSITION, COVARIANCE, VAR_VELOCITY):
                    carried[plane, body, column] = (
                        part[0] ** 2 * states[plane, body, first] + part[1] ** 2 * states[plane, body, first + 1]
                    )
        longer = max(carried[POSITION, body, 2], carried[POSITION, body, 3])
        body_px[body] = max(body_px[body] * longer / max(width, height), MIN_SIDE_PX)
        for joint in range(joints.shape[1]):
            offset_x, offset_y = joints[body, joint, 0], joints[body, joint, 1]
            joints[body, joint, 0] = linear[0, 0] * offset_x + linear[0, 1] * offset_y
            joints[body, joint, 1] = linear[1, 0] * offset_x + linear[1, 1] * offset_y
        cut_at_borders(carried[POSITION, body], joints[body], size_px)
    return carried
