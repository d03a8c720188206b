"""The region of a camera's picture in which people are reported: polygons, read from a setting and checked. Pure."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from posebus.config.cameras.polygon import MAX_POINTS, Polygon, in_fractions, is_list, read_point, read_polygon
from posebus.contract.foreign_json import load_json
from posebus.errors import MalformedMessage

MAX_POLYGONS = 20

Region = tuple[Polygon, ...]
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
    if not is_list(value) or not value:
        raise ValueError("must be a list of points [x, y], or a list of such lists")
    polygons = [value] if all(_is_point(one) for one in value) else list(value)
    if len(polygons) > MAX_POLYGONS:
        raise ValueError(f"must have at most {MAX_POLYGONS} polygons, not {len(polygons)}")
    return tuple(
        read_polygon(polygon, "it" if len(polygons) == 1 else f"polygon {number}")
        for number, polygon in enumerate(polygons, start=1)
    )


def region_from_json(values: Any) -> Region | None:
    """Return the region in JSON values that posebus wrote. Raises ValueError or TypeError for others.

    Crossing sides are not looked for again, which takes long for many points; nothing goes wrong with them.
    """
    if values is None:
        return None
    if not is_list(values) or not 0 < len(values) <= MAX_POLYGONS:
        raise ValueError("its region has no polygons, or too many")
    polygons = tuple(tuple(read_point(point, "it") for point in polygon) for polygon in values)
    if not all(3 <= len(polygon) <= MAX_POINTS for polygon in polygons):
        raise ValueError("its region has a polygon with too few points, or too many")
    return polygons


def is_in_fractions(region: Region) -> bool:
    """Return whether the coordinates are parts of the picture's width and height: all of them are from 0 to 1."""
    return all(map(in_fractions, region))


def _is_point(value: object) -> bool:
    return is_list(value) and len(value) == 2 and not any(is_list(one) for one in value)


_SCHEMA_POINT = {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2, "maxItems": 2}
SCHEMA_POLYGON = {"type": "array", "items": _SCHEMA_POINT, "minItems": 3, "maxItems": MAX_POINTS + 1}
SCHEMA_POLYGONS = {"type": "array", "items": SCHEMA_POLYGON, "minItems": 1, "maxItems": MAX_POLYGONS}

RegionField = Annotated[
    Region | None,
    BeforeValidator(read_region),
    WithJsonSchema({"anyOf": [SCHEMA_POLYGON, SCHEMA_POLYGONS, {"type": "null"}]}),
]
"""The type of the setting; a single polygon may stand without the list around it."""
