"""Bodies carried over into the pixels of another frame, against plain arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tracking.motion.picture_map import PictureMap, between, carried_bodies
from tracking.motion.size_change import resizing


def carried(picture: PictureMap, size_px: tuple[int, int] = (4000, 4000)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One body of 80x200 at (300, 400), moving at (10, -20) px/s and growing at 6 px/s, carried over."""
    states = np.zeros((5, 1, 4))
    states[0, 0] = 300, 400, 80, 200
    states[1, 0] = 10, -20, 4, 6
    states[2, 0] = 9, 16, 25, 36
    states[3, 0] = 1, 2, 3, 4
    states[4, 0] = 100, 400, 25, 36
    body_px, joints = np.array([200.0]), np.array([[[10.0, -90.0, 0.7]]])
    return carried_bodies(states, body_px, joints, picture, size_px), body_px, joints


def test_a_shift_moves_the_centre_alone() -> None:
    states, body_px, joints = carried(PictureMap(1.0, 0.0, 12.5, 0.0, 1.0, -7.0))
    assert states[0, 0].tolist() == [312.5, 393, 80, 200]
    assert states[1, 0].tolist() == [10, -20, 4, 6]
    assert states[2, 0].tolist() == [9, 16, 25, 36]
    assert body_px.tolist() == [200]
    assert joints[0, 0].tolist() == [10, -90, 0.7]


def test_a_zoom_scales_lengths_and_speeds_and_squares_variances() -> None:
    states, body_px, joints = carried(PictureMap(2.0, 0.0, -640.0, 0.0, 2.0, -360.0))
    np.testing.assert_allclose(states[0, 0], [-40, 440, 160, 400])
    np.testing.assert_allclose(states[1, 0], [20, -40, 8, 12])
    np.testing.assert_allclose(states[2, 0], [36, 64, 100, 144])
    np.testing.assert_allclose(states[3, 0], [4, 8, 12, 16])
    np.testing.assert_allclose(states[4, 0], [400, 1600, 100, 144])
    assert body_px.tolist() == [400]
    assert joints[0, 0].tolist() == [20, -180, 0.7]


def test_a_picture_stretched_in_one_direction_stretches_bodies() -> None:
    states, body_px, joints = carried(PictureMap(0.5, 0.0, 0.0, 0.0, 1.0, 0.0))
    np.testing.assert_allclose(states[0, 0], [150, 400, 40, 200])
    np.testing.assert_allclose(states[1, 0], [5, -20, 2, 6])
    assert body_px.tolist() == [200]
    assert joints[0, 0].tolist() == [5, -90, 0.7]


def test_a_quarter_turn_exchanges_width_and_height() -> None:
    states, body_px, joints = carried(PictureMap(0.0, -1.0, 720.0, 1.0, 0.0, 0.0))
    np.testing.assert_allclose(states[0, 0], [320, 300, 200, 80])
    np.testing.assert_allclose(states[1, 0], [20, 10, 6, 4])
    np.testing.assert_allclose(states[2, 0], [16, 9, 36, 25])
    assert body_px.tolist() == [200]
    assert joints[0, 0].tolist() == [90, 10, 0.7]


def test_a_box_is_cut_where_the_map_pushes_it_across_a_border() -> None:
    """The bottom is 40 px outside: the box is 40 px shorter and its centre 20 px higher; the joint stays."""
    states, body_px, joints = carried(PictureMap(1.0, 0.0, 0.0, 0.0, 1.0, 260.0), (1280, 720))
    assert states[0, 0].tolist() == [300, 640, 80, 160]
    assert states[1, 0].tolist() == [10, -20, 4, 6]
    assert joints[0, 0].tolist() == [10, -70, 0.7]
    assert body_px.tolist() == [200]


def test_a_body_that_the_map_pushes_out_of_the_picture_stays_whole() -> None:
    states, _, joints = carried(PictureMap(1.0, 0.0, -310.0, 0.0, 1.0, 0.0), (1280, 720))
    assert states[0, 0].tolist() == [-10, 400, 80, 200]
    assert joints[0, 0].tolist() == [10, -90, 0.7]


def test_a_roll_leaves_a_body_about_its_height() -> None:
    """The ellipse in the box, not the box: its extent is computed here from points on it."""
    angle = math.radians(20)
    cosine, sine = math.cos(angle), math.sin(angle)
    states, _, _ = carried(PictureMap(cosine, -sine, 500.0, sine, cosine, 0.0))
    around = np.linspace(0, 2 * math.pi, 100_001)
    x, y = 40 * np.cos(around), 100 * np.sin(around)
    assert states[0, 0, 2] == pytest.approx(2 * (cosine * x - sine * y).max(), rel=1e-6)
    assert states[0, 0, 3] == pytest.approx(2 * (sine * x + cosine * y).max(), rel=1e-6)
    assert np.hypot(*states[1, 0, :2]) == pytest.approx(math.hypot(10, 20))


def test_the_map_between_two_frames_leads_points_from_one_to_the_other() -> None:
    first, second = (1.1, 0.1, 30.0, -0.1, 0.9, 5.0), (0.8, -0.2, 7.0, 0.3, 1.2, -9.0)
    passed = between(first, second)
    assert passed is not None
    point = np.array((123.0, 456.0, 1.0))
    start, end = np.array(first).reshape(2, 3) @ point, np.array(second).reshape(2, 3) @ point
    np.testing.assert_allclose(passed.at(*start), end)
    back = passed.inverse()
    assert back is not None
    np.testing.assert_allclose(back.at(*end), start)
    np.testing.assert_allclose(passed.then(back), (1, 0, 0, 0, 1, 0), atol=1e-12)


@pytest.mark.parametrize("broken", [(0.0,) * 6, (1.0, 1.0, 0.0, 1.0, 1.0, 0.0), (1e-9, 0, 0, 0, 1e-9, 0)])
def test_a_matrix_without_a_way_back_moves_nothing(broken: tuple[float, ...]) -> None:
    assert between(broken, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)) is None


def test_a_resized_picture_is_stretched_cropped_or_letterboxed() -> None:
    """From 1920x1080 to 640x480, where the corner (0, 0) and the point (960, 270), a quarter down, come to lie."""
    usual, others = resizing((1920, 1080), (640, 480))
    assert usual.at(0, 0) == (0, 0)
    assert usual.at(960, 270) == pytest.approx((320, 120))
    places = [usual.then(other) for other in others]
    wanted = [
        ((0, 0), (960, 270)),  # the same pixels from the top left
        ((-640, -300), (320, -30)),  # the same pixels from the middle
        ((0, 60), (320, 150)),  # scaled by 1/3, bars of 60 lines
        ((-320 / 3, 0), (320, 120)),  # scaled by 4/9, the sides cut
    ]
    assert len(places) == len(wanted)
    for place, (corner, quarter) in zip(places, wanted, strict=True):
        np.testing.assert_allclose(place.at(0, 0), corner, atol=1e-9)
        np.testing.assert_allclose(place.at(960, 270), quarter, atol=1e-9)


def test_equal_proportions_leave_fewer_possibilities() -> None:
    usual, others = resizing((1280, 720), (640, 360))
    assert usual == (0.5, 0, 0, 0, 0.5, 0)
    assert [usual.then(other) for other in others] == [(1, 0, 0, 0, 1, 0), (1, 0, -320, 0, 1, -180)]
