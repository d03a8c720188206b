"""Crops are centred on the person, and coordinates are mapped back under both pixel conventions."""

from __future__ import annotations

import numpy as np
import pytest

from posebus.arrays import Float32Array
from workers.detections import Detections
from workers.images.preprocess import PADDING, Letterbox
from workers.keypoints.crops import CONTEXT, Crop, RowsOfInput

SIZE_PX = (192, 256)


def box(*sides: float) -> Float32Array:
    return np.array(sides, np.float32)


@pytest.mark.parametrize("sides", [(100, 50, 140, 170), (10, 10, 300, 60), (-20, -30, 20, 90)])
def test_crop_is_centred_on_the_person_with_context(sides: tuple[float, ...]) -> None:
    crop = Crop.around(box(*sides), SIZE_PX)
    corners = crop.points_to_picture(np.array(((0, 0), SIZE_PX), np.float32))
    np.testing.assert_allclose(corners.mean(axis=0), box(*sides).reshape(2, 2).mean(axis=0), atol=1e-3)
    larger = (corners[1] - corners[0]) / (box(*sides)[2:] - box(*sides)[:2])
    assert larger.min() == pytest.approx(CONTEXT, rel=1e-4)


def test_empty_box_counts_as_one_of_a_pixel() -> None:
    crop = Crop.around(box(40, 40, 40, 40), SIZE_PX)
    assert crop.scale == pytest.approx(192 / 1.25)


def gaussian(size_px: tuple[int, int], centre_px: tuple[float, float], sigma_px: float, centres: bool) -> Float32Array:
    """Return a soft dot centred at `centre_px` under the convention."""
    shift = 0.5 if centres else 0.0
    y, x = np.mgrid[: size_px[1], : size_px[0]] + shift
    apart = (x - centre_px[0]) ** 2 + (y - centre_px[1]) ** 2
    dot: Float32Array = np.exp(-apart / (2 * sigma_px**2)).astype(np.float32)
    return dot


@pytest.mark.parametrize("centres", [True, False])
@pytest.mark.parametrize("height_px", [40.0, 203.0, 640.0])
def test_points_of_the_crop_are_mapped_back_to_the_picture(height_px: float, centres: bool) -> None:
    # Enlarged five times, of about the same size, and reduced three times.
    place = (500.3, 480.8)
    dot = gaussian((1000, 1000), place, height_px / 40, centres)
    picture = np.repeat((dot * 255).astype(np.uint8)[..., None], 3, axis=2)
    crop = Crop.around(box(500 - height_px / 5, 480 - height_px / 2, 505 + height_px / 5, 480 + height_px / 2), SIZE_PX)
    cut = crop.cut(picture, centres=centres)
    assert cut.shape == (256, 192, 3)
    weight = cut[..., 0].astype(np.float64)
    y, x = np.mgrid[:256, :192] + (0.5 if centres else 0.0)
    weight[weight < 40] = 0
    seen = np.array(((x * weight).sum(), (y * weight).sum())) / weight.sum()
    found = crop.points_to_picture(seen.astype(np.float32))
    np.testing.assert_allclose(found, place, atol=max(0.1, 0.3 / crop.scale))


def test_crop_is_grey_outside_the_picture() -> None:
    cut = Crop.around(box(-50, -50, 10, 10), SIZE_PX).cut(np.zeros((100, 100, 3), np.uint8))
    # Scale 2.56, middle (-20, -20): the picture begins at (147, 179).
    assert np.all(cut[:176] == PADDING)
    assert np.all(cut[183:, 151:] == 0)


@pytest.mark.parametrize("rows_px", [(1280, 720), (640, 360), (853, 480)])
def test_input_pixels_and_rows_of_any_size_map_to_each_other(rows_px: tuple[int, int]) -> None:
    fit = Letterbox.fit((1280, 720), 640)
    rows = RowsOfInput(np.zeros((rows_px[1], rows_px[0], 3), np.uint8), fit)
    left, top = fit.offset_px
    corners = np.array(((left, top), (left + fit.resized_px[0], top + fit.resized_px[1])), np.float32)
    np.testing.assert_allclose(rows.from_input(corners), ((0, 0), rows_px), atol=1e-3)
    np.testing.assert_allclose(rows.to_input(rows.from_input(corners)), corners, atol=1e-3)
    assert rows.per_input_px == pytest.approx(rows_px[1] / 360)
    people = Detections(corners.reshape(1, 4), np.ones(1, np.float32), np.zeros((1, 17, 3), np.float32))
    np.testing.assert_allclose(rows.boxes_of(people), ((0, 0, *rows_px),), atol=1e-3)
