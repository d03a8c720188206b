from __future__ import annotations

from fractions import Fraction

import pytest

from posebus.square_pixels import SQUARE, square_size_px, usable_aspect


@pytest.mark.parametrize(
    ("size_px", "aspect", "square_px"),
    [
        ((640, 480), SQUARE, (640, 480)),
        ((240, 480), Fraction(8, 3), (640, 480)),
        ((720, 576), Fraction(16, 15), (768, 576)),
        ((720, 480), Fraction(8, 9), (720, 540)),
        ((60_000, 100), Fraction(10), (65_500, 11)),
        ((8000, 6000), Fraction(4), (16330, 3062)),
    ],
)
def test_the_shorter_sides_of_pixels_are_enlarged_within_limits(
    size_px: tuple[int, int], aspect: Fraction, square_px: tuple[int, int]
) -> None:
    assert square_size_px(size_px, aspect) == square_px


@pytest.mark.parametrize("aspect", [None, Fraction(0), Fraction(-1), Fraction(11), Fraction(1, 11)])
def test_unknown_and_absurd_aspects_are_square(aspect: Fraction | None) -> None:
    assert usable_aspect(aspect) == SQUARE
