"""The ground plane of a camera: four points of the floor in the picture, and where they are in metres. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator

from posebus.config.cameras.polygon import LARGEST_PX, Point, in_fractions, is_list
from posebus.config.worker_settings import Strict
from posebus.contract.foreign_json import load_json
from posebus.errors import MalformedMessage

PAIRS = 4
LARGEST_M = 10_000.0
LEAST_HEIGHT = 1e-3
"""A triangle of points is a line if it is lower than this part of the longest distance between any two of the four."""

Points = tuple[Point, Point, Point, Point]


def _points(value: object, largest: float, least: float, unit: str) -> Points:
    """Return four points. Raises ValueError with a sentence."""
    value = _from_text(value, "four points, such as [[0, 0], [4, 0], [4, 6], [0, 6]]")
    if not is_list(value) or len(value) != PAIRS:
        count = f", not {len(value)}" if is_list(value) else ""
        raise ValueError(f"must be a list of {PAIRS} points [x, y]{count}")
    found: list[Point] = []
    for number, point in enumerate(value, start=1):
        if not is_list(point) or len(point) != 2 or not all(map(_is_number, point)):
            raise ValueError(f"must have two numbers for each point; point {number} has not")
        if not all(least <= coordinate <= largest for coordinate in point):
            raise ValueError(f"must be from {least:g} to {largest:g} {unit}; point {number} is not")
        found.append((float(point[0]), float(point[1])))
    first, second, third, fourth = found
    return first, second, third, fourth


def _in_picture(value: object) -> Points:
    return _points(value, LARGEST_PX, 0.0, "pixels")


def _on_floor(value: object) -> Points:
    return _points(value, LARGEST_M, -LARGEST_M, "metres")


def _from_text(value: object, example: str) -> object:
    """Return the JSON in text, since environment variables have no lists."""
    if not isinstance(value, str):
        return value
    try:
        return load_json(value, "a value")
    except MalformedMessage:
        raise ValueError(f"must be {example}") from None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _schema(least: float, largest: float) -> Any:
    number = {"type": "number", "minimum": least, "maximum": largest}
    point = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    return WithJsonSchema({"type": "array", "items": point, "minItems": PAIRS, "maxItems": PAIRS})


class GroundSettings(Strict):
    """Four points of the floor, in the picture and in metres, in the same order.

    No three of them may be on a line, and each must be on the same side of the others in the picture as on the floor,
    or on the other side throughout (a plan that is mirrored): else no camera sees the floor like this.
    """

    points: Annotated[Points, BeforeValidator(_in_picture), _schema(0.0, LARGEST_PX)] = Field(
        description="Four points [x, y] of the floor in the picture. Parts of width and height of the (turned) picture "
        "if all coordinates are from 0 to 1, else pixels of it"
    )
    metres: Annotated[
        Points,
        BeforeValidator(lambda value: _points(value, LARGEST_M, -LARGEST_M, "metres")),
        _schema(-LARGEST_M, LARGEST_M),
    ] = Field(description="Where the same points are on the floor, [x, y] in metres from any origin")
    floor_size_m: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] | None = Field(
        default=None,
        description="Width and depth of the floor plan in metres, from the origin: people further outside than 1 m "
        "have no position. null: everywhere",
    )

    @model_validator(mode="after")
    def _check_plane(self) -> GroundSettings:
        _check_lines("points", self.points)
        _check_lines("metres", self.metres)
        _check_sides(self.points, self.metres)
        return self

    @property
    def in_fractions(self) -> bool:
        """Whether the points are parts of the picture's width and height."""
        return in_fractions(self.points)


def _of_camera(value: object) -> object:
    value = _from_text(value, "a mapping with points and metres")
    if value is None or isinstance(value, dict | GroundSettings):
        return value
    raise ValueError("must hold the fields points and metres, with four points in each")


GroundField = Annotated[GroundSettings | None, BeforeValidator(_of_camera)]
"""The type of the setting."""


def ground_from_json(values: Any) -> GroundSettings | None:
    """Return the ground plane in JSON values that posebus wrote. Raises ValueError for others."""
    try:
        return None if values is None else GroundSettings.model_validate(values)
    except ValidationError as error:
        raise ValueError(f"its ground plane is wrong: {error.errors()[0]['msg']}") from None


def _check_lines(name: str, points: Points) -> None:
    longest2 = max((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 for a, b in combinations(points, 2))
    for triple in combinations(range(PAIRS), 3):
        if abs(_turn(points, triple)) <= LEAST_HEIGHT * longest2:
            one, two, three = (number + 1 for number in triple)
            raise ValueError(
                f"{name} {one}, {two} and {three} are on one line: choose four points of which no three are, such as "
                "the corners of a rectangle on the floor"
            )


def _check_sides(points: Points, metres: Points) -> None:
    """Raise ValueError unless all triples of points turn the same way in both lists, or all the other way.

    Else some of the four would be in front of the camera and others behind it (R. Hartley, "Chirality", IJCV 1998).
    """
    same = [_turn(points, triple) * _turn(metres, triple) > 0 for triple in combinations(range(PAIRS), 3)]
    if all(same) or not any(same):
        return
    swapped = next(
        (
            pair
            for pair in combinations(range(PAIRS), 2)
            if _fits(points, tuple(metres[_swap(number, *pair)] for number in range(PAIRS)))
        ),
        None,
    )
    hint = "" if swapped is None else f": exchange {swapped[0] + 1} and {swapped[1] + 1} in one of the lists"
    raise ValueError(
        f"points and metres must be the same four places in the same order; no camera sees them like this{hint}"
    )


def _swap(number: int, one: int, other: int) -> int:
    return {one: other, other: one}.get(number, number)


def _fits(points: Points, metres: Sequence[Point]) -> bool:
    same = [_turn(points, triple) * _turn(metres, triple) > 0 for triple in combinations(range(PAIRS), 3)]
    return all(same) or not any(same)


def _turn(points: Sequence[Point], triple: Sequence[int]) -> float:
    """Return twice the area of the triangle of three points, with the sign of the way in which it turns."""
    a, b, c = (points[number] for number in triple)
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
