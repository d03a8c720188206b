"""Keypoint decoders on maps and vectors with known peaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posebus.arrays import Float32Array
from workers.keypoints.heatmap import decode_heatmaps
from workers.keypoints.simcc import decode_simcc

INPUT_PX = (192, 256)
inside_x, inside_y = st.floats(8, 180), st.floats(8, 244)


def bump(cells: int, centre: float, sigma: float) -> Float32Array:
    return np.exp(-((np.arange(cells) - centre) ** 2) / (2 * sigma**2)).astype(np.float32)


def heatmap(x_px: float, y_px: float, height: float = 1.0) -> Float32Array:
    """Return a map as networks are trained to output it: a Gaussian of two cells, at a quarter of the input's size."""
    return height * np.outer(bump(64, y_px / 4, 2), bump(48, x_px / 4, 2)).astype(np.float32)


@given(x=inside_x, y=inside_y)
def test_peak_of_a_heatmap_is_located_to_a_quarter_of_a_cell(x: float, y: float) -> None:
    (((found_x, found_y, confidence),),) = decode_heatmaps(heatmap(x, y)[None, None], 1, INPUT_PX)
    # The argmax alone would err by up to half a cell, which is two pixels.
    assert abs(found_x - x) <= 1.01
    assert abs(found_y - y) <= 1.01
    assert 0.9 < confidence <= 1


def test_the_maximum_is_moved_towards_the_higher_neighbour() -> None:
    maps = np.zeros((1, 4, 8, 6), np.float32)
    maps[0, :, 4, 3] = 0.8
    maps[0, 0, 4, 4] = 0.5  # to the right
    maps[0, 1, 4, 2] = 0.5  # to the left
    maps[0, 2, 5, 3] = 0.5  # down
    found = decode_heatmaps(maps, 4, (24, 32))
    np.testing.assert_allclose(found[0, :, :2], [(13, 16), (11, 16), (12, 17), (12, 16)])
    np.testing.assert_allclose(found[0, :, 2], 0.8)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (7, 5), (0, 5), (7, 0)])
def test_peak_in_the_corner_stays_there(row: int, column: int) -> None:
    maps = np.zeros((1, 1, 8, 6), np.float32)
    maps[0, 0, row, column] = 1
    np.testing.assert_allclose(decode_heatmaps(maps, 1, (24, 32))[0, 0], (column * 4, row * 4, 1))


def test_people_and_keypoints_keep_their_order_and_the_background_is_ignored() -> None:
    places = {(0, 0): (40, 80), (0, 1): (100, 20), (1, 0): (60, 200), (1, 1): (140, 120)}
    maps = np.zeros((2, 3, 64, 48), np.float32)
    for (person, keypoint), (x, y) in places.items():
        maps[person, keypoint] = heatmap(x, y, 0.25 * (1 + person + keypoint))
    maps[:, 2] = 9.0
    found = decode_heatmaps(maps, 2, INPUT_PX)
    assert found.shape == (2, 2, 3)
    assert found.dtype == np.float32
    for (person, keypoint), place in places.items():
        np.testing.assert_allclose(found[person, keypoint], (*place, 0.25 * (1 + person + keypoint)), atol=1e-5)


@given(x=inside_x, y=inside_y)
def test_simcc_locates_positions_between_pixels(x: float, y: float) -> None:
    across, down = bump(384, 2 * x, 6), bump(512, 2 * y, 6)
    ((found,),) = decode_simcc(across[None, None], down[None, None], INPUT_PX)
    assert abs(found[0] - x) <= 0.2501
    assert abs(found[1] - y) <= 0.2501


def test_simcc_confidence_is_the_lower_of_both_vectors() -> None:
    across = np.stack((bump(384, 100, 6) * 0.3, bump(384, 200, 6) * 7, -bump(384, 0, 6) - 1))[None]
    down = np.stack((bump(512, 300, 6), bump(512, 400, 6) * 2, bump(512, 500, 6)))[None]
    found = decode_simcc(across, down, INPUT_PX)
    np.testing.assert_allclose(found[0, :2], [(50, 150, 0.3), (100, 200, 1)], atol=1e-6)
    assert found[0, 2, 2] == 0
