"""The area that a rule is about: a zone, or the whole picture. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tracking.rules.base import Place
from tracking.rules.scene import Scene


class Area:
    """A zone, or the whole picture where `points` are None."""

    def __init__(self, points: Sequence[tuple[float, float]] | None, place: Place) -> None:
        self._shape = None if points is None else place.shapes.add_zone(place.in_pixels(points))

    @property
    def is_everywhere(self) -> bool:
        """Whether it is the whole picture."""
        return self._shape is None

    def codes(self, scene: Scene) -> Sequence[int]:
        """Where each of the people is (N,): 1 inside, 0 outside by less than a margin, -1 outside."""
        return scene.everywhere if self._shape is None else scene.located.marks[self._shape]


def is_inside(code: int, was_inside: bool) -> bool:
    """Whether feet are inside: those that were leave only beyond the margin, and others enter without it."""
    return code == 1 or (was_inside and code == 0)
