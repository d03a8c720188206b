"""Polygons in a picture, read from settings: points [x, y] from the top left corner, which are checked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, TypeGuard

MAX_POINTS = 100
"""Of one polygon: more than anyone draws, and few enough for a test of every detection."""
LARGEST_PX = 100_000
"""No picture is as large."""
LEAST_TURN = 1e-9
"""Points whose triangle has less than this part of the area of the square around the polygon are on one line."""

Point = tuple[float, float]
Polygon = tuple[Point, ...]


def read_polygon(value: object, name: str = "it") -> Polygon:
    """Return the polygon in a list of points [x, y]; `name` is what errors call it.

    Raises ValueError, with the rest of a sentence about the setting, for anything that is no polygon.
    """
    if not is_list(value) or not all(is_list(point) and len(point) == 2 for point in value):
        raise ValueError(f"must be a list of points [x, y], or a list of such lists; {name} is not one")
    points = [read_point(point, name) for point in value]
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()  # GeoJSON repeats the first point
    if len(points) > MAX_POINTS:
        raise ValueError(f"must have at most {MAX_POINTS} points in a polygon; {name} has {len(points)}")
    if len(points) < 3:
        raise ValueError(f"must have at least 3 points in a polygon; {name} has {len(points)}")
    if len(set(points)) < len(points):
        twice = next(point for place, point in enumerate(points) if point in points[:place])
        raise ValueError(f"must have every point once in a polygon; {name} has {_shown(twice)} twice")
    _check_area(points, name)
    _check_crossings(points, name)
    return tuple(points)


def read_point(value: Sequence[Any], name: str) -> Point:
    """Return the point in [x, y], which lies in a picture; `name` is what errors call it. Raises ValueError."""
    if len(value) != 2:
        raise ValueError(f"must have two numbers for each point; {name} has a point without")
    for coordinate in value:
        if isinstance(coordinate, bool) or not isinstance(coordinate, int | float) or coordinate != coordinate:
            raise ValueError(f"must have two numbers for each point; {name} has a point without")
        if not 0 <= coordinate <= LARGEST_PX:
            where = "below 0" if coordinate < 0 else f"above {LARGEST_PX}"
            raise ValueError(
                f"must lie in the picture, whose top left corner is [0, 0]; {name} has a coordinate {where}"
            )
    return float(value[0]), float(value[1])


def _check_area(points: Sequence[Point], name: str) -> None:
    longest = max(max(axis) - min(axis) for axis in zip(*points, strict=True))
    turns = (_turn(points[place - 2], points[place - 1], point) for place, point in enumerate(points))
    if all(abs(turn) <= LEAST_TURN * longest * longest for turn in turns):
        raise ValueError(f"must enclose an area; the points of {name} are on one line")


def _check_crossings(points: Sequence[Point], name: str) -> None:
    sides = list(zip(points, [*points[1:], points[0]], strict=True))
    for (first, one), (second, other) in combinations(enumerate(sides), 2):
        neighbours = second - first in (1, len(sides) - 1)
        if not neighbours and _meet(*one, *other):
            raise ValueError(
                f"must not cross itself; the sides of {name} that begin at {_shown(one[0])} and {_shown(other[0])} do: "
                "list the points in the order in which you walk around the region"
            )


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Return whether the segments from a to b and from c to d have a point in common."""
    of_first = _turn(a, b, c), _turn(a, b, d)
    of_second = _turn(c, d, a), _turn(c, d, b)
    if of_first[0] * of_first[1] < 0 and of_second[0] * of_second[1] < 0:
        return True
    turns = [
        *zip(of_first, (c, d), ((a, b), (a, b)), strict=True),
        *zip(of_second, (a, b), ((c, d), (c, d)), strict=True),
    ]
    return any(turn == 0 and _within_box(point, *segment) for turn, point, segment in turns)


def _turn(a: Point, b: Point, c: Point) -> float:
    """Return a number whose sign is the side of the line from a to b on which c lies; 0 on the line."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within_box(point: Point, a: Point, b: Point) -> bool:
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])


def _shown(point: Point) -> str:
    return f"[{point[0]:g}, {point[1]:g}]"


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether settings hold a list here."""
    return isinstance(value, list | tuple)


def in_fractions(points: Sequence[Point]) -> bool:
    """Return whether the coordinates are parts of the picture's width and height: all of them are from 0 to 1."""
    return all(coordinate <= 1 for point in points for coordinate in point)
