"""Conversion of polygons to pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posebus import mask_of


def inside(polygon: list[tuple[float, float]], x: float, y: float) -> bool:
    """The even-odd rule, edge by edge."""
    odd = False
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (ay <= y) != (by <= y) and ax + (y - ay) * (bx - ax) / (by - ay) <= x:
            odd = not odd
    return odd


points = st.tuples(st.floats(-6, 18, width=32), st.floats(-6, 14, width=32))


@given(st.lists(points, max_size=9))
def test_mask_has_the_pixels_whose_centres_are_inside_by_the_even_odd_rule(polygon: list[tuple[float, float]]) -> None:
    mask = mask_of(np.array(polygon, np.float32).reshape(-1, 2), (12, 8))
    assert mask.shape == (8, 12)
    expected = [[inside(polygon, column + 0.5, row + 0.5) for column in range(12)] for row in range(8)]
    np.testing.assert_array_equal(mask, expected)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_mask_agrees_with_opencv(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    radius = rng.uniform(30, 90, (30, 1))
    polygon = (100 + radius * np.stack((np.cos(angles), np.sin(angles)), axis=1)).astype(np.float32)
    # OpenCV puts integer coordinates at the centres of pixels, and also fills the pixels of the edge.
    drawn = cv2.fillPoly(np.zeros((200, 200), np.uint8), [np.round(polygon - 0.5).astype(np.int32)], 1) > 0
    mask = mask_of(polygon, (200, 200))
    assert (mask & drawn).sum() / (mask | drawn).sum() > 0.93


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_points_give_an_empty_mask(count: int) -> None:
    assert not mask_of(np.array(((1, 1), (5, 7)), np.float32)[:count], (12, 8)).any()
