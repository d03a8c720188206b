"""The setting `region`: which polygons it takes, and why it refuses others."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from posebus.config.cameras.region import MAX_POINTS, is_in_fractions, read_region
from posebus.config.settings import CameraSettings

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]
STAR = [[50 + 40 * math.sin(k * 4 * math.pi / 5), 50 - 40 * math.cos(k * 4 * math.pi / 5)] for k in range(5)]


def test_one_polygon_several_and_text_are_read() -> None:
    square = tuple((float(x), float(y)) for x, y in SQUARE)
    assert read_region(SQUARE) == read_region([SQUARE]) == read_region(str(SQUARE)) == (square,)
    assert read_region([*SQUARE, SQUARE[0]]) == (square,)  # as GeoJSON closes it
    assert read_region([SQUARE, [[0, 0], [300, 0], [0, 200]]]) == (square, ((0.0, 0.0), (300.0, 0.0), (0.0, 200.0)))
    assert read_region(None) is None


def test_settings_keep_a_region_when_they_are_written_and_read_again() -> None:
    camera = CameraSettings(source="x", region=[[0.5, 0.25], [1, 0.25], [1, 1]])
    assert CameraSettings.model_validate(camera.model_dump(mode="json")) == camera


def test_coordinates_are_fractions_if_none_is_above_one() -> None:
    assert is_in_fractions(read_region(SQUARE) or ())
    assert not is_in_fractions(read_region([SQUARE, [[0, 0], [1, 0], [1, 1.5]]]) or ())


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "must be a list of points"),
        (7, "must be a list of points"),
        ("[[0, 0", "must be a list of points"),
        ([[0, 0], [1, 1]], "at least 3 points in a polygon; it has 2"),
        ([SQUARE, [[0, 0], [1, 1]]], "polygon 2 has 2"),
        ([[0, 0], [1, 1], [1, 1], [0, 1]], "every point once in a polygon; it has [1, 1] twice"),
        ([[0, 0], [1, 1], [2, 2]], "must enclose an area"),
        ([[0, 0], [1, 1], [2, 2], [3, 3]], "must enclose an area"),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], "must not cross itself; the sides of it that begin at [0, 0] and [1, 0] do"),
        ([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]], "must not cross itself"),  # touches itself
        (STAR, "must not cross itself"),
        ([[0, 0], [1, 0], [1, -0.5]], "it has a coordinate below 0"),
        ([[0, 0], [1, 0], [1, 1e9]], "it has a coordinate above 100000"),
        ([[0, 0], [1, 0], [1, 10**5000]], "it has a coordinate above 100000"),
        ([[0, 0], [1, 0], [1, float("inf")]], "it has a coordinate above 100000"),
        ([[0, 0], [1, 0], [1, float("nan")]], "two numbers for each point"),
        ([[0, 0], [1, 0], [1, True]], "two numbers for each point"),
        ([[0, 0], [1, 0], [1]], "must be a list of points"),
        ([SQUARE] * 21, "at most 20 polygons, not 21"),
        ([[math.cos(a / 20), math.sin(a / 20)] for a in range(MAX_POINTS + 1)], "lie in the picture"),
        ([[k, k * k] for k in range(MAX_POINTS + 1)], "at most 100 points in a polygon; it has 101"),
    ],
)
def test_what_is_no_region_is_refused_with_the_reason(value: object, problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CameraSettings.model_validate({"source": "x", "region": value})
    (error,) = refused.value.errors()
    assert problem in error["msg"]
    assert error["loc"] == ("region",)


def test_every_order_of_the_corners_of_a_square_but_the_two_ways_around_crosses_itself() -> None:
    from itertools import permutations

    fine = []
    for corners in permutations(SQUARE):
        try:
            fine.append(read_region(list(corners)))
        except ValueError:
            continue
    assert len(fine) == 8  # four first corners, two ways around
