"""The length of a person's way in the picture. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from posebus.arrays import Float32Array, UInt8Array
from tracking.body_model.skeleton import HIP, SHOULDER

TRUNK = (SHOULDER, SHOULDER + 1, HIP, HIP + 1)
"""Shoulders and hips: seen most often of all joints, and at rest while arms and legs move."""
NUMBERS = 10
"""Length of `PersonWay.numbers`."""
Coordinates = Float32Array | Sequence[Sequence[float]]
Flags = UInt8Array | Sequence[int]
DEAD_BAND = 0.1
"""Steps count once they are this part of the person's height: a person who stands still sways and jitters by less."""


class Way:
    """Adds up the steps between places that are far enough apart, so that standing adds nothing."""

    def __init__(self) -> None:
        self.length_px = 0.0
        self.body_heights = 0.0
        self.places = 0
        self._last: tuple[float, float] | None = None

    def add(self, x_px: float, y_px: float, height_px: float) -> None:
        """Take the place of a person of `height_px` in the next frame in which they were detected."""
        self.places += 1
        if self._last is None:
            self._last = x_px, y_px
            return
        step_px = math.dist(self._last, (x_px, y_px))
        if step_px >= DEAD_BAND * height_px:
            self.length_px += step_px
            self.body_heights += step_px / height_px
            self._last = x_px, y_px

    @property
    def numbers(self) -> list[float]:
        """Length, body heights, places, and the last place or twice not a number."""
        return [self.length_px, self.body_heights, float(self.places), *(self._last or (math.nan, math.nan))]

    @classmethod
    def from_numbers(cls, numbers: Sequence[float]) -> Way:
        """The way that had these `numbers`."""
        way = cls()
        way.length_px, way.body_heights, places, x_px, y_px = numbers
        way.places = int(places)
        way._last = None if math.isnan(x_px) else (x_px, y_px)
        return way


class PersonWay:
    """The way of one person: of the middle of the trunk, or of the box where the trunk is seen in few frames.

    The box changes its shape with every limb and with all that hides a part of the person.
    """

    def __init__(self) -> None:
        self._trunk = Way()
        self._box = Way()

    def add(self, box_xyxy_px: Sequence[float], trunk_px: tuple[float, float] | None) -> None:
        """Take box and middle of the trunk, if that is known, of the next frame in which the person was detected."""
        left, top, right, bottom = box_xyxy_px
        height_px = bottom - top
        if height_px <= 0:
            return
        self._box.add((left + right) / 2, (top + bottom) / 2, height_px)
        if trunk_px is not None:
            self._trunk.add(*trunk_px, height_px)

    @property
    def numbers(self) -> list[float]:
        """All that `from_numbers` needs to go on, NUMBERS of them."""
        return [*self._trunk.numbers, *self._box.numbers]

    @classmethod
    def from_numbers(cls, numbers: Sequence[float]) -> PersonWay:
        """The way that had these `numbers`."""
        way = cls()
        half = NUMBERS // 2
        way._trunk, way._box = Way.from_numbers(numbers[:half]), Way.from_numbers(numbers[half:])
        return way

    @property
    def measured(self) -> Way:
        """The way that counts."""
        return self._trunk if 2 * self._trunk.places >= self._box.places else self._box


def trunk_of(keypoints: Coordinates | None, flags: Flags | None) -> tuple[float, float] | None:
    """Return the middle of shoulders and hips in pixels, None if one of them is unknown."""
    if keypoints is None or flags is None or len(flags) <= max(TRUNK) or not all(flags[joint] for joint in TRUNK):
        return None
    x_px, y_px = (sum(float(keypoints[joint][axis]) for joint in TRUNK) / len(TRUNK) for axis in (0, 1))
    return x_px, y_px
