"""The region of a camera's picture in which people are reported: polygons, read from a setting and checked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, Any, TypeGuard

from pydantic import BeforeValidator, WithJsonSchema

from posebus.contract.foreign_json import load_json
from posebus.errors import MalformedMessage

MAX_POLYGONS = 20
MAX_POINTS = 100
"""Of one polygon: more than anyone draws, and few enough for a test of every detection."""
LARGEST_PX = 100_000
"""No picture is as large."""
LEAST_TURN = 1e-9
"""Points whose triangle has less than this part of the area of the square around the polygon are on one line."""

Point = tuple[float, float]
Region = tuple[tuple[Point, ...], ...]
"""Polygons; a point in any of them is inside."""


def read_region(value: object) -> Region | None:
    """Return the polygons in `value`: a list of polygons, or one polygon, each a list of points [x, y].

    Text is read as JSON, since environment variables have no lists. Raises ValueError for anything that is no region.
    """
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = load_json(value, "a region")
        except MalformedMessage:
            raise ValueError("must be a list of points, such as [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]") from None
    if not _is_list(value) or not value:
        raise ValueError("must be a list of points [x, y], or a list of such lists")
    polygons = [value] if all(_is_point(one) for one in value) else list(value)
    if len(polygons) > MAX_POLYGONS:
        raise ValueError(f"must have at most {MAX_POLYGONS} polygons, not {len(polygons)}")
    return tuple(_polygon(polygon, number, len(polygons)) for number, polygon in enumerate(polygons, start=1))


def region_from_json(values: Any) -> Region | None:
    """Return the region in JSON values that posebus wrote. Raises ValueError or TypeError for others.

    Crossing sides are not looked for again, which takes long for many points; nothing goes wrong with them.
    """
    if values is None:
        return None
    if not _is_list(values) or not 0 < len(values) <= MAX_POLYGONS:
        raise ValueError("its region has no polygons, or too many")
    polygons = tuple(tuple(_point(point, "it") for point in polygon) for polygon in values)
    if not all(3 <= len(polygon) <= MAX_POINTS for polygon in polygons):
        raise ValueError("its region has a polygon with too few points, or too many")
    return polygons


def is_in_fractions(region: Region) -> bool:
    """Return whether the coordinates are parts of the picture's width and height: all of them are from 0 to 1."""
    return all(coordinate <= 1 for polygon in region for point in polygon for coordinate in point)


def _polygon(value: object, number: int, polygons: int) -> tuple[Point, ...]:
    name = "it" if polygons == 1 else f"polygon {number}"
    if not _is_list(value) or not all(_is_list(point) and len(point) == 2 for point in value):
        raise ValueError(f"must be a list of points [x, y], or a list of such lists; {name} is not one")
    points = [_point(point, name) for point in value]
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


def _point(value: Sequence[Any], name: str) -> Point:
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


def _is_point(value: object) -> bool:
    return _is_list(value) and len(value) == 2 and not any(_is_list(one) for one in value)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


_SCHEMA_POINT = {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2, "maxItems": 2}
_SCHEMA_POLYGON = {"type": "array", "items": _SCHEMA_POINT, "minItems": 3, "maxItems": MAX_POINTS + 1}
_SCHEMA_POLYGONS = {"type": "array", "items": _SCHEMA_POLYGON, "minItems": 1, "maxItems": MAX_POLYGONS}

RegionField = Annotated[
    Region | None,
    BeforeValidator(read_region),
    WithJsonSchema({"anyOf": [_SCHEMA_POLYGON, _SCHEMA_POLYGONS, {"type": "null"}]}),
]
"""The type of the setting; a single polygon may stand without the list around it."""
