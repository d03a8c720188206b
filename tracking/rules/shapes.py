"""The zones and lines of all rules of a camera, measured once a frame in one call. Pure."""

from __future__ import annotations

from functools import cached_property

from posebus.arrays import Float64Array
from tracking.geometry import Shapes, measured, shapes_of

ZONE_MARGIN = 0.1
"""How far outside a zone, in body heights, the feet of a person in it may be before they count as outside: more than
feet jitter, less than a step."""
LINE_MARGIN = 0.05
"""How far from a line, in body heights, feet are clearly on one side: jitter is less."""
LINE_FAR = 0.4
"""How far from a line, in body heights, a person need not be followed closely: about half a second's walk."""


class ShapeTable:
    """The shapes of one camera, by number. Rules add theirs when they are opened."""

    def __init__(self) -> None:
        self._points: list[Float64Array] = []
        self._lines: list[bool] = []
        self._margins: list[tuple[float, float]] = []
        self._shapes: Shapes | None = None

    def add_zone(self, corners_px: Float64Array) -> int:
        """Add a polygon (P, 2); returns its number."""
        return self._add(corners_px, is_line=False, margins=(ZONE_MARGIN, 0.0))

    def add_line(self, ends_px: Float64Array) -> int:
        """Add the line between two points (2, 2); returns its number."""
        return self._add(ends_px, is_line=True, margins=(LINE_MARGIN, LINE_FAR))

    def locate(self, feet_px: Float64Array, heights_px: Float64Array, size_px: tuple[int, int]) -> Located:
        """Return where N people are, whose feet (N, 2) and heights (N,) these are, in a picture of this size."""
        if self._shapes is None:
            self._shapes = shapes_of(self._points, self._lines, self._margins)
        codes, offsets_px = measured(self._shapes, feet_px, heights_px, size_px)
        return Located(codes.tolist(), offsets_px)

    def _add(self, points_px: Float64Array, *, is_line: bool, margins: tuple[float, float]) -> int:
        self._points.append(points_px)
        self._lines.append(is_line)
        self._margins.append(margins)
        self._shapes = None
        return len(self._points) - 1


class Located:
    """Where the people of one frame are, beside each shape.

    codes: for each shape a list (N,); of zones 1 inside, 0 outside by less than a margin, -1 outside; of lines the side
    (-1 is side a, 1 is side b), times 2 for a person far from it, and 0 close to the line. offsets_px: (S, N, 2), see
    `tracking.geometry.measured`.
    """

    def __init__(self, codes: list[list[int]], offsets_px: Float64Array) -> None:
        self.codes = codes
        self.offsets_px = offsets_px

    @cached_property
    def on_side_b(self) -> list[list[bool]]:
        """For each shape a list (N,); of lines whether people are on side b."""
        found: list[list[bool]] = (self.offsets_px[:, :, 0] > 0.0).tolist()
        return found
