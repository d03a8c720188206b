"""Distances and sides of points beside polygons and lines, against OpenCV and arithmetic."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np

from tracking.geometry import close_pairs, measured, outside_by, shapes_of

NO_MARKS = np.zeros((0, 0), np.int8)
SIZE_PX = (640, 480)
MARGIN, FAR = 0.1, 2.0
UNIT_PX = 100.0


def codes_of(points: np.ndarray, shape: np.ndarray, *, is_line: bool) -> list[int]:
    shapes = shapes_of([shape], [is_line], [(MARGIN, FAR)])
    codes, *_ = measured(shapes, points, np.full(len(points), UNIT_PX), SIZE_PX, NO_MARKS)
    found: list[int] = codes[0].tolist()
    return found


def test_a_point_is_in_a_polygon_close_to_it_or_outside_as_opencv_measures() -> None:
    rng = np.random.default_rng(5)
    for corners in (3, 4, 7, 12):
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        star = np.stack([np.cos(angles), np.sin(angles)], axis=1) * rng.uniform(40, 200, (corners, 1)) + (320, 240)
        contour = star.astype(np.float32)
        points = rng.uniform((0, 0), SIZE_PX, (400, 2))
        inside_by = np.array([cv2.pointPolygonTest(contour, point, True) for point in points.tolist()])
        expected = np.where(inside_by >= 0, 1, np.where(inside_by >= -MARGIN * UNIT_PX, 0, -1))
        clear = np.abs(inside_by) > 0.6  # half a pixel outside still counts as inside
        clear &= np.abs(inside_by + MARGIN * UNIT_PX) > 0.01
        assert clear.sum() > 350
        found = np.array(codes_of(points, contour.astype(float), is_line=False))
        np.testing.assert_array_equal(found[clear], expected[clear])
        np.testing.assert_allclose(outside_by(points, [contour.astype(float)]), np.maximum(0, -inside_by), atol=0.01)


def test_side_a_is_on_the_left_of_the_way_from_the_first_point_to_the_second() -> None:
    right, above, below = np.array([[100.0, 300.0], [500.0, 300.0]]), [300.0, 250.0], [300.0, 350.0]
    assert codes_of(np.array([above, below]), right, is_line=True) == [-1, 1]
    assert codes_of(np.array([above, below]), right[::-1].copy(), is_line=True) == [1, -1]
    down = np.array([[300.0, 100.0], [300.0, 400.0]])  # who walks down the picture has its right side on the left
    assert codes_of(np.array([[350.0, 200.0], [250.0, 200.0]]), down, is_line=True) == [-1, 1]


def test_the_distance_from_a_line_and_the_way_along_it_are_those_of_trigonometry() -> None:
    for degrees in range(0, 360, 30):
        angle = math.radians(degrees)
        ways = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
        begin = np.array([300.0, 200.0])
        places = list(itertools.product((-50.0, 10.0, 120.0), (-210.0, -30.0, -1.0, 1.0, 30.0, 210.0)))
        points = np.array([begin + along * ways[0] + apart * ways[1] for along, apart in places])
        shapes = shapes_of([np.array([begin, begin + 100 * ways[0]])], [True], [(MARGIN, FAR)])
        codes, _, offsets, _ = measured(shapes, points, np.full(len(points), UNIT_PX), (2000, 2000), NO_MARKS)
        np.testing.assert_allclose(offsets[0, :, 0], [apart for _, apart in places], atol=1e-9)
        np.testing.assert_allclose(offsets[0, :, 1], [along for along, _ in places], atol=1e-9)
        assert codes[0, :6].tolist() == [-2, -1, 0, 0, 1, 2]


def test_a_point_at_the_border_is_clearly_off_a_line_along_that_border() -> None:
    bottom = np.array([[0.0, 475.0], [640.0, 475.0]])
    assert codes_of(np.array([[300.0, 479.5], [300.0, 470.5]]), bottom, is_line=True) == [1, 0]
    middle = np.array([[0.0, 240.0], [640.0, 240.0]])
    assert codes_of(np.array([[0.5, 244.0], [639.5, 236.0]]), middle, is_line=True) == [0, 0]


def test_shapes_of_all_kinds_are_measured_in_one_call() -> None:
    rng = np.random.default_rng(1)
    shapes = [rng.uniform(50, 400, (count, 2)) for count in (3, 2, 5, 2, 4)]
    lines = [len(shape) == 2 for shape in shapes]
    points, units = rng.uniform(0, 480, (30, 2)), rng.uniform(20, 200, 30)
    together, *_ = measured(shapes_of(shapes, lines, [(MARGIN, FAR)] * 5), points, units, SIZE_PX, NO_MARKS)
    for row, (shape, is_line) in enumerate(zip(shapes, lines, strict=True)):
        alone, *_ = measured(shapes_of([shape], [is_line], [(MARGIN, FAR)]), points, units, SIZE_PX, NO_MARKS)
        assert together[row].tolist() == alone[0].tolist()
    none, *_ = measured(shapes_of([], [], []), points, units, SIZE_PX, NO_MARKS)
    assert none.shape == (0, 30)
    of_five = shapes_of(shapes, lines, [(MARGIN, FAR)] * 5)
    empty, *_ = measured(of_five, np.zeros((0, 2)), np.zeros(0), SIZE_PX, NO_MARKS)
    assert empty.shape == (5, 0)


def test_close_pairs_are_those_of_all_distances() -> None:
    rng = np.random.default_rng(2)
    points, units = rng.uniform(0, 300, (12, 2)), rng.uniform(50, 150, 12)
    expected = [
        [one, other]
        for one, other in itertools.combinations(range(12), 2)
        if math.dist(points[one], points[other]) <= 0.8 * min(units[one], units[other])
    ]
    assert 0 < len(expected) < 66
    assert close_pairs(points, units, 0.8) == expected
    assert close_pairs(points[:1], units[:1], 0.8) == close_pairs(points[:0], units[:0], 0.8) == []


def test_marks_change_when_a_point_crosses_a_line_or_their_number_changes() -> None:
    line = shapes_of([np.array([[100.0, 240.0], [500.0, 240.0]])], [True], [(MARGIN, FAR)])

    def look(points: list[list[float]], before: np.ndarray) -> tuple[np.ndarray, bool]:
        _, marks, _, changed = measured(line, np.array(points), np.full(len(points), UNIT_PX), SIZE_PX, before)
        return marks, changed

    above, changed = look([[300.0, 100.0]], NO_MARKS)
    assert changed
    assert look([[310.0, 110.0]], above)[1] is False
    assert look([[300.0, 400.0]], above)[1] is True
    assert look([[300.0, 100.0], [300.0, 100.0]], above)[1] is True
