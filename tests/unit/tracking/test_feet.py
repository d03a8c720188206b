"""Where people stand, and how tall they would be upright, against bodies whose joints were placed by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from posebus.coco import COCO_KEYPOINT_NAMES
from tracking.feet import BOX, KNEES, UNKNOWN, body_heights_px, foot_points_px, standing_points_px

SIZE_PX = (1000, 800)
HEIGHT = 300.0
ABOVE_FLOOR = {"nose": 0.93, "shoulder": 0.818, "elbow": 0.63, "wrist": 0.485, "hip": 0.530, "knee": 0.285}
"""Heights of joints of a standing body, as published by Winter (2009); ankles are at 0.039."""


def upright(x: float, floor_y: float, *, hidden: tuple[str, ...] = (), height: float = HEIGHT) -> np.ndarray:
    """A skeleton (17, 3) that stands at x, floor_y; `hidden` joints have a low confidence and are elsewhere."""
    return skeleton(x, floor_y, {**ABOVE_FLOOR, "ankle": 0.039}, hidden=hidden, height=height)


def skeleton(
    x: float, floor_y: float, above: Mapping[str, float], *, hidden: tuple[str, ...] = (), height: float = HEIGHT
) -> np.ndarray:
    joints = np.zeros((17, 3), np.float32)
    for row, name in enumerate(COCO_KEYPOINT_NAMES):
        side, _, joint = name.rpartition("_")
        aside = {"left": 0.05, "right": -0.05, "": 0.0}[side] * height
        joints[row] = x + aside, floor_y - above.get(joint, above["nose"]) * height, 0.9
        if joint in hidden:
            joints[row] = 5.0, 5.0, 0.1
    return joints


def box(x: float, floor_y: float, height: float = HEIGHT) -> np.ndarray:
    return np.array([x - 50, floor_y - height, x + 50, floor_y], np.float32)


def foot(box_px: np.ndarray, joints: np.ndarray | None) -> list[float]:
    return foot_points_px(box_px[None], None if joints is None else joints[None], SIZE_PX)[0].tolist()


@pytest.mark.parametrize("hidden", [(), ("ankle",), ("ankle", "knee"), ("ankle", "hip")])
def test_a_standing_person_is_where_the_soles_are_whatever_is_hidden(hidden: tuple[str, ...]) -> None:
    assert foot(box(400, 600), upright(400, 600, hidden=hidden)) == pytest.approx([400, 600], abs=0.5)


def test_without_keypoints_it_is_the_middle_of_the_lower_edge() -> None:
    assert foot(box(400, 600), None) == [400, 600]


def test_the_ankles_count_where_the_box_leans_to_one_side() -> None:
    leaning = np.array([350, 300, 600, 600], np.float32)
    assert foot(leaning, upright(400, 600))[0] == pytest.approx(400)


def test_one_ankle_that_is_seen_is_enough() -> None:
    joints = upright(400, 600)
    joints[15] = 900, 100, 0.1
    assert foot(box(400, 600), joints)[0] == pytest.approx(385)


def test_behind_a_table_the_floor_is_as_far_below_the_knees_as_the_hips_are_above() -> None:
    behind = np.array([350, 300, 450, 530], np.float32)
    assert foot(behind, upright(400, 600, hidden=("ankle",))) == pytest.approx([400, 600], abs=1.0)


def test_feet_are_never_above_the_knees() -> None:
    wrong = np.array([350, 300, 450, 480], np.float32)
    joints = upright(400, 600, hidden=("ankle", "hip"))
    assert foot(wrong, joints)[1] >= 600 - 0.285 * HEIGHT


def test_feet_below_the_picture_count_at_its_border() -> None:
    cut = np.array([350, 600, 450, 800], np.float32)
    assert foot(cut, upright(400, 900, hidden=("ankle",))) == pytest.approx([400, 800])


def test_feet_outside_the_picture_are_known_by_the_knees_alone() -> None:
    cut = np.array([[350, 600, 450, 800], [350, 600, 450, 800], [350, 600, 450, 790]], np.float32)
    hidden = ("ankle",), ("ankle", "knee"), ("ankle", "knee")
    points, sources = standing_points_px(cut, np.stack([upright(400, 870, hidden=one) for one in hidden]), SIZE_PX)
    assert sources.tolist() == [KNEES, UNKNOWN, BOX]
    assert points[0].tolist() == pytest.approx([400, 870], abs=1.0)


def test_joints_that_are_not_finite_do_not_count() -> None:
    joints = upright(400, 600)
    joints[15:] = np.nan
    assert foot(box(400, 600), joints) == pytest.approx([400, 600], abs=0.5)


def test_a_skeleton_with_fewer_joints_than_coco_tells_nothing() -> None:
    assert foot(box(400, 600), upright(400, 600)[:14]) == [400, 600]


def test_no_people_have_no_feet() -> None:
    nobody = np.zeros((0, 4), np.float32)
    assert foot_points_px(nobody, None, SIZE_PX).shape == (0, 2)
    assert foot_points_px(nobody, np.zeros((0, 17, 3), np.float32), SIZE_PX).shape == (0, 2)


def height(box_px: np.ndarray, joints: np.ndarray | None) -> float:
    return float(body_heights_px(box_px[None], None if joints is None else joints[None])[0])


def test_the_height_of_a_standing_person_is_that_of_the_box() -> None:
    assert height(box(400, 600), upright(400, 600)) == pytest.approx(HEIGHT, rel=0.02)
    assert height(box(400, 600), None) == HEIGHT


def test_arms_above_the_head_add_no_height() -> None:
    reaching = np.array([350, 600 - 1.25 * HEIGHT, 450, 600], np.float32)
    assert height(reaching, upright(400, 600)) == pytest.approx(HEIGHT, rel=0.02)


def test_a_person_who_sits_facing_the_camera_keeps_the_height() -> None:
    # The thighs point at the camera, so that hips and knees are at one height.
    seat = 0.285
    above = {"nose": seat + 0.4, "shoulder": seat + 0.288, "elbow": 0.4, "wrist": 0.3, "hip": seat, "knee": seat}
    sitting = skeleton(400, 600, {**above, "ankle": 0.039})
    short = np.array([350, 600 - 0.72 * HEIGHT, 450, 600], np.float32)
    assert height(short, sitting) == pytest.approx(HEIGHT, rel=0.02)


def test_a_person_behind_a_desk_keeps_the_height() -> None:
    behind = np.array([350, 300, 450, 300 + 0.5 * HEIGHT], np.float32)
    assert height(behind, upright(400, 600, hidden=("knee", "ankle"))) == pytest.approx(HEIGHT, rel=0.02)


def test_a_wrong_skeleton_changes_the_height_within_limits() -> None:
    far_apart = upright(400, 600, height=10 * HEIGHT)
    assert height(box(400, 600), far_apart) == 2 * HEIGHT
    assert height(box(400, 600), upright(400, 600, height=HEIGHT / 10)) == pytest.approx(0.8 * HEIGHT)
