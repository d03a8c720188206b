"""Zones and lines of rules, read from settings: points in pixels of the picture, or in parts of its sides. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from posebus.config.cameras.polygon import MAX_POINTS, Point, Polygon, is_list, read_point, read_polygon

Line = tuple[Point, Point]
"""From the first point to the second; who walks that way has side a on the left and side b on the right."""


def _polygon(value: object) -> Polygon | None:
    return None if value is None else read_polygon(value)


def _zone(value: object) -> Polygon:
    return read_polygon(value)


def _line(value: object) -> Line:
    if not is_list(value) or len(value) != 2 or not all(is_list(point) and len(point) == 2 for point in value):
        raise ValueError("must be two points, such as [[100, 300], [500, 300]]")
    first, second = read_point(value[0], "it"), read_point(value[1], "it")
    if first == second:
        raise ValueError("must have two different points")
    return first, second


_POINT = {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2, "maxItems": 2}
_POLYGON = {"type": "array", "items": _POINT, "minItems": 3, "maxItems": MAX_POINTS + 1}

ZoneField = Annotated[Polygon, BeforeValidator(_zone), WithJsonSchema(_POLYGON)]
AnywhereField = Annotated[
    Polygon | None, BeforeValidator(_polygon), WithJsonSchema({"anyOf": [_POLYGON, {"type": "null"}]})
]
"""A zone, or None for the whole picture."""
LineField = Annotated[
    Line, BeforeValidator(_line), WithJsonSchema({"type": "array", "items": _POINT, "minItems": 2, "maxItems": 2})
]
