"""Outlines cover their masks completely and hardly more."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workers.outputs.outline as module
from posebus.arrays import BoolArray
from posebus.contract.masks import mask_of
from workers.outputs.outline import MAX_POINTS, outline, union


def iou(first: BoolArray, second: BoolArray) -> float:
    """Return the intersection over union of two masks."""
    return float((first & second).sum() / (first | second).sum())


def blob(seed: int, side_px: int = 160) -> BoolArray:
    """Return a round mask with a rough edge."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = side_px * rng.uniform(0.22, 0.45, len(angles))
    points = side_px / 2 + radius[:, None] * np.stack((np.cos(angles), np.sin(angles)), axis=1)
    return cv2.fillPoly(np.zeros((side_px, side_px), np.uint8), [points.astype(np.int32)], 1) > 0


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([40, 160, 400]))
def test_polygon_covers_its_mask(seed: int, side_px: int) -> None:
    mask = blob(seed, side_px)
    polygon = outline(mask)
    assert polygon.dtype == np.float32
    assert 3 <= len(polygon) <= MAX_POINTS
    assert iou(mask_of(polygon, (side_px, side_px)), mask) >= 0.9


@pytest.mark.parametrize(("left", "top", "right", "bottom"), [(0, 0, 2, 2), (3, 2, 9, 30), (0, 0, 32, 32)])
def test_rectangle_keeps_its_corners(left: int, top: int, right: int, bottom: int) -> None:
    mask = np.zeros((32, 32), bool)
    mask[top:bottom, left:right] = True
    polygon = outline(mask)
    assert {tuple(point) for point in polygon} == {(left, top), (left, bottom), (right, bottom), (right, top)}
    np.testing.assert_array_equal(mask_of(polygon, (32, 32)), mask)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_pixel_lies_outside_before_simplification(seed: int) -> None:
    mask = blob(seed, 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TOLERANCE_PX", 0.0)
        patch.setattr(module, "MAX_POINTS", 10_000)
        assert (mask_of(outline(mask), (60, 60)) >= mask).all()


def test_empty_mask_has_no_outline() -> None:
    assert outline(np.zeros((20, 10), bool)).shape == (0, 2)


def test_person_behind_a_pole_is_one_polygon() -> None:
    mask = blob(3)
    mask[:, 75:84] = False
    polygon = outline(mask)
    assert len(polygon) <= MAX_POINTS
    again = mask_of(polygon, (160, 160))
    assert iou(again, mask) >= 0.9
    # The joining line encloses nothing: most rows of the pole stay free.
    assert (again[:, 77:82].sum(axis=0) <= 8).all()


def test_small_artefacts_are_left_out() -> None:
    mask = blob(4)
    mask[:3, :3] = True
    assert not mask_of(outline(mask), (160, 160))[:3, :3].any()


def test_outline_of_many_points_becomes_coarser() -> None:
    rows, columns = np.indices((300, 300))
    comb = (columns // 4 % 2 == 0) & (rows > 20) | (rows > 280)
    assert len(outline(comb)) <= MAX_POINTS


def test_union_covers_all_polygons_and_nothing_else() -> None:
    one = np.array([(10, 10), (90, 10), (90, 120), (10, 120)], np.float32)
    other = np.array([(60, 80), (150, 80), (150, 190), (60, 190)], np.float32)
    size_px = (200, 200)
    wanted = mask_of(one, size_px) | mask_of(other, size_px)
    found = union([one, np.zeros((0, 2), np.float32), other])
    assert found.dtype == np.float32
    assert len(found) <= MAX_POINTS
    assert iou(mask_of(found, size_px), wanted) > 0.96
    np.testing.assert_array_equal(union([one]), one)
    assert union([]).shape == (0, 2)
