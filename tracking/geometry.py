"""Points beside polygons and lines, as machine code: the one place for rules about places and for regions. Pure.

All shapes of a camera are measured in one call, since the call itself costs more than the arithmetic for one shape.
Coordinates are pixels, origin top left, x right, y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from posebus.arrays import Float64Array, Int64Array
from tracking.compiled import compiled, plain

Int8Array = npt.NDArray[np.int8]

LEAST_LENGTH2 = 1e-12
"""Shorter sides, in square pixels, are points."""


class Shapes(NamedTuple):
    """S polygons and lines in a row.

    corners: (C, 2) corners of polygons, and the two ends of lines, shape after shape. begin: (S + 1,) rows at which
    shapes begin. is_line: (S,). margins: (S, 2) the first distance, in units of a person, up to which a point counts as
    close to the shape, and the second one, from which it counts as far (lines only).
    """

    corners: Float64Array
    begin: Int64Array
    is_line: npt.NDArray[np.bool_]
    margins: Float64Array


def outside_by(points: Float64Array, polygons: Sequence[Float64Array]) -> Float64Array:
    """Return the distance (N,) of each point (N, 2) from the nearest of the polygons, each (P, 2); 0 inside of one."""
    distance = np.full(len(points), np.inf)
    _nearest_polygon(points, np.concatenate(polygons), _rows(polygons), distance)
    return distance


def shapes_of(
    points: Sequence[Float64Array], is_line: Sequence[bool], margins: Sequence[tuple[float, float]]
) -> Shapes:
    """Return shapes from the points (P, 2) of each, whether each is a line, and the margins of each."""
    return Shapes(
        np.concatenate([np.zeros((0, 2)), *points]),
        _rows(points),
        np.array(is_line, np.bool_),
        np.array(margins, np.float64).reshape(-1, 2),
    )


def measured(
    shapes: Shapes, feet_px: Float64Array, units_px: Float64Array, size_px: tuple[int, int], marks_before: Int8Array
) -> tuple[Int8Array, Int8Array, Float64Array, bool]:
    """Return on which side of each shape each of N points is.

    Args:
        shapes: S shapes.
        feet_px: (N, 2) points.
        units_px: (N,) the unit of the margins for each point.
        size_px: (width, height) of the picture. Beyond its border no point is seen, so that a point at the border is
            clearly on its side of a line, however narrow the rest of the picture is.
        marks_before: marks of the frame before, with which the new ones are compared.

    Returns:
        codes (S, N): of polygons 1 inside, 0 close to it, -1 outside; of lines the side (-1 left, 1 right of the way
        from the first end to the second, as seen in the picture), times 2 if far from it; 0 close to the line.
        marks (S, N): of polygons the codes; of lines 1 right of the way, 0 left or on it.
        offsets_px (S, N, 2): of lines the distance from the line through both ends, negative on the left, and how far
        along the way from the first end; 0 for polygons.
        changed: whether any mark is another one than before, or their number is.
    """
    shape = len(shapes.is_line), len(feet_px)
    codes, marks, offsets_px = np.empty(shape, np.int8), np.empty(shape, np.int8), np.zeros((*shape, 2))
    size = (float(size_px[0]), float(size_px[1]))
    changed = _measure_all(plain(shapes), feet_px, units_px, size, marks_before, (codes, marks, offsets_px))
    return codes, marks, offsets_px, changed


def _rows(points: Sequence[Float64Array]) -> Int64Array:
    return np.cumsum([0, *map(len, points)], dtype=np.int64)


ON_SIDE_PX = 0.5
"""A point on a side of a polygon is inside, such as feet of a person who is cut off by the border of the picture."""
AT_BORDER_PX = 1.0
"""A point so near to the border of the picture is at the border."""
FACING = 0.5
"""Cosine of the largest angle between the way off a line and the way out of the picture that counts as the same."""


@compiled
def _is_inside(x: float, y: float, corners: Float64Array, begin: int, end: int) -> bool:
    """Return whether a ray to the right of the point crosses an odd number of the sides of a polygon."""
    inside = False
    before = end - 1
    for corner in range(begin, end):
        x0, y0, x1, y1 = corners[before, 0], corners[before, 1], corners[corner, 0], corners[corner, 1]
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
        before = corner
    return inside


@compiled
def _distance_to_sides(x: float, y: float, corners: Float64Array, begin: int, end: int, reach: float) -> float:
    """Return the distance of the point from the nearest side of a polygon; inf if none is within `reach`."""
    nearest2 = np.inf
    before = end - 1
    for corner in range(begin, end):
        x0, y0, x1, y1 = corners[before, 0], corners[before, 1], corners[corner, 0], corners[corner, 1]
        before = corner
        if x < min(x0, x1) - reach or x > max(x0, x1) + reach or y < min(y0, y1) - reach or y > max(y0, y1) + reach:
            continue
        along_x, along_y = x1 - x0, y1 - y0
        length2 = max(along_x**2 + along_y**2, LEAST_LENGTH2)
        share = min(max(((x - x0) * along_x + (y - y0) * along_y) / length2, 0.0), 1.0)
        nearest2 = min(nearest2, (x - x0 - share * along_x) ** 2 + (y - y0 - share * along_y) ** 2)
    return float(np.sqrt(nearest2))


@compiled
def _nearest_polygon(points: Float64Array, corners: Float64Array, begin: Int64Array, distance: Float64Array) -> None:
    """Write the distance of each point (N, 2) from the nearest polygon into `distance` (N,)."""
    for point in range(len(points)):
        x, y = points[point]
        for shape in range(len(begin) - 1):
            first, end = begin[shape], begin[shape + 1]
            if _is_inside(x, y, corners, first, end):
                distance[point] = 0.0
                break
            distance[point] = min(distance[point], _distance_to_sides(x, y, corners, first, end, np.inf))


@compiled
def _measure_all(
    shapes: Shapes,
    feet_px: Float64Array,
    units_px: Float64Array,
    size_px: tuple[float, float],
    marks_before: Int8Array,
    out: tuple[Int8Array, Int8Array, Float64Array],
) -> bool:
    """Write `codes` (S, N), `marks` (S, N) and `offsets_px` (S, N, 2) of `measured`; returns whether marks changed."""
    codes, marks, offsets_px = out
    shapes = Shapes(*shapes)
    corners = shapes.corners
    width, height = size_px
    for shape in range(len(shapes.is_line)):
        first, end = shapes.begin[shape], shapes.begin[shape + 1]
        close, far = shapes.margins[shape]
        if not shapes.is_line[shape]:
            left, top = corners[first:end, 0].min(), corners[first:end, 1].min()
            right, bottom = corners[first:end, 0].max(), corners[first:end, 1].max()
            for point in range(len(feet_px)):
                x, y = feet_px[point, 0], feet_px[point, 1]
                reach = max(close * units_px[point], ON_SIDE_PX)
                if not (left - reach <= x <= right + reach and top - reach <= y <= bottom + reach):
                    codes[shape, point] = -1
                elif _is_inside(x, y, corners, first, end):
                    codes[shape, point] = 1
                else:
                    apart = _distance_to_sides(x, y, corners, first, end, reach)
                    codes[shape, point] = 1 if apart <= ON_SIDE_PX else 0 if apart <= reach else -1
                marks[shape, point] = codes[shape, point]
            continue
        x0, y0 = corners[first, 0], corners[first, 1]
        along_x, along_y = corners[first + 1, 0] - x0, corners[first + 1, 1] - y0
        length = np.sqrt(max(along_x**2 + along_y**2, LEAST_LENGTH2))
        for point in range(len(feet_px)):
            x, y = feet_px[point, 0], feet_px[point, 1]
            apart = (along_x * (y - y0) - along_y * (x - x0)) / length
            offsets_px[shape, point, 0] = apart
            offsets_px[shape, point, 1] = (along_x * (x - x0) + along_y * (y - y0)) / length
            side = 1 if apart > 0.0 else -1 if apart < 0.0 else 0
            marks[shape, point] = 1 if apart > 0.0 else 0
            away_x, away_y = -along_y / length * side, along_x / length * side
            at_border = (
                (away_x <= -FACING and x <= AT_BORDER_PX)
                or (away_x >= FACING and x >= width - AT_BORDER_PX)
                or (away_y <= -FACING and y <= AT_BORDER_PX)
                or (away_y >= FACING and y >= height - AT_BORDER_PX)
            )
            if abs(apart) >= far * units_px[point]:
                codes[shape, point] = 2 * side
            elif abs(apart) >= close * units_px[point] or at_border:
                codes[shape, point] = side
            else:
                codes[shape, point] = 0
    return _differ(marks, marks_before)


@compiled
def _differ(marks: Int8Array, others: Int8Array) -> bool:
    """Whether two tables (S, N) and (S, M) are not the same."""
    if marks.shape != others.shape:
        return True
    for shape in range(len(marks)):
        for point in range(marks.shape[1]):
            if marks[shape, point] != others[shape, point]:
                return True
    return False


def close_pairs(points: Float64Array, units: Float64Array, reach: float) -> list[list[int]]:
    """Return the pairs of rows of points (N, 2) that are at most `reach` apart, times the smaller unit (N,) of both."""
    count = len(points)
    pairs = np.empty((count * (count - 1) // 2, 2), np.int64)
    number = _find_close(points, units, reach, pairs)
    found: list[list[int]] = pairs[:number].tolist() if number else []
    return found


@compiled
def _find_close(points: Float64Array, units: Float64Array, reach: float, pairs: Int64Array) -> int:
    """Write the pairs that are close into the first rows of `pairs` (M, 2); returns their number."""
    found = 0
    for one in range(len(points)):
        x, y, most = points[one, 0], points[one, 1], reach * units[one]
        for other in range(one + 1, len(points)):
            apart_x, apart_y = x - points[other, 0], y - points[other, 1]
            if abs(apart_x) > most or abs(apart_y) > most:
                continue
            if np.hypot(apart_x, apart_y) <= reach * min(units[one], units[other]):
                pairs[found] = one, other
                found += 1
    return found
