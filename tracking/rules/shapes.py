"""The zones and lines of all rules of a camera, measured once a frame in one call. Pure."""

from __future__ import annotations

import numpy as np

from posebus.arrays import Float64Array
from tracking.geometry import Int8Array, Shapes, measured, shapes_of

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
        self._last: Int8Array = np.zeros((0, 0), np.int8)
        """The marks (S, N) of the frame before, and the same as lists."""
        self._lists: list[list[int]] = []
        self._ids: list[int] = []
        """The people of the newest frame."""

    def add_zone(self, corners_px: Float64Array) -> int:
        """Add a polygon (P, 2); returns its number, which rules with the same points share."""
        return self._add(corners_px, is_line=False, margins=(ZONE_MARGIN, 0.0))

    def add_line(self, ends_px: Float64Array) -> int:
        """Add the line between two points (2, 2); returns its number."""
        return self._add(ends_px, is_line=True, margins=(LINE_MARGIN, LINE_FAR))

    def same_ids(self, ids: list[int]) -> list[int]:
        """The list of the frame before if it is equal, so that rules see at once that the people are the same."""
        if ids != self._ids:
            self._ids = ids
        return self._ids

    def locate(self, feet_px: Float64Array, heights_px: Float64Array, size_px: tuple[int, int]) -> Located:
        """Return where N people are, whose feet (N, 2) and heights (N,) these are, in a picture of this size."""
        if self._shapes is None:
            self._shapes = shapes_of(self._points, self._lines, self._margins)
            self._last, self._lists = np.zeros((len(self._points), 0), np.int8), [[] for _ in self._points]
        codes, marks, offsets_px, changed = measured(self._shapes, feet_px, heights_px, size_px, self._last)
        if changed:
            found, lists = marks.tolist(), self._lists
            # Lists that are equal stay the same ones, so that rules see at once that nothing has changed.
            self._lists = [old if old == new else new for old, new in zip(lists, found, strict=True)]
            self._last = marks
        return Located(codes, self._lists, offsets_px)

    def _add(self, points_px: Float64Array, *, is_line: bool, margins: tuple[float, float]) -> int:
        for number, (points, line) in enumerate(zip(self._points, self._lines, strict=True)):
            if line is is_line and np.array_equal(points, points_px):
                return number
        self._points.append(points_px)
        self._lines.append(is_line)
        self._margins.append(margins)
        self._shapes = None
        return len(self._points) - 1


class Located:
    """Where the people of one frame are, beside each shape.

    marks: for each shape a list (N,); of zones 1 inside, 0 outside by less than a margin, -1 outside; of lines 1 on
    side b, 0 on side a or on the line. It is the list of the frame before where it is equal. offsets_px: (S, N, 2), see
    `tracking.geometry.measured`.
    """

    __slots__ = ("_codes", "marks", "offsets_px")

    def __init__(self, codes: Int8Array, marks: list[list[int]], offsets_px: Float64Array) -> None:
        self._codes = codes
        self.marks = marks
        self.offsets_px = offsets_px

    def code(self, shape: int, row: int) -> int:
        """Of a zone the mark of a person; of a line the side (-1 is side a, 1 is side b), times 2 for a person far from
        it, and 0 close to the line."""
        return int(self._codes[shape, row])
