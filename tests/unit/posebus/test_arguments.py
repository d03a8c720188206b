"""Fields of messages that callers make themselves: one sentence for each that breaks the contract."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import samples

from posebus.boxes import area, iou, iou_matrix
from posebus.contract.arguments import checked_pose_frame
from posebus.contract.masks import mask_of
from posebus.messages import CameraMotion

PEOPLE, KEYPOINTS = 2, 17
GOOD = replace(
    samples.pose_frame(0),
    boxes_xyxy_px=np.array([[10, 10, 50, 90], [60, 10, 90, 90]], np.float32),
    scores=np.full(PEOPLE, 0.9, np.float32),
    keypoints_px=np.zeros((PEOPLE, KEYPOINTS, 3), np.float32),
    appearance=np.zeros((PEOPLE, 64), np.float32),
    masks=None,
)


def zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


BAD = [
    ("boxes_xyxy_px", zeros(4), "has the shape (4,), expected (*, 4)"),
    ("boxes_xyxy_px", zeros(2, 5), "has the shape (2, 5), expected (*, 4)"),
    ("boxes_xyxy_px", [[0, 0, 1, 1]], "is of the type list, expected a numpy array (*, 4)"),
    ("boxes_xyxy_px", np.zeros((2, 4), object), "has the dtype object, expected float32"),
    ("boxes_xyxy_px", np.zeros((2, 4), "<U3"), "has the dtype <U3, expected float32"),
    ("boxes_xyxy_px", np.zeros((2, 4), complex), "has the dtype complex128, expected float32"),
    ("scores", zeros(300), "has the shape (300,), expected (2,)"),
    ("scores", zeros(1), "has the shape (1,), expected (2,)"),
    ("scores", zeros(2, 1), "has the shape (2, 1), expected (2,)"),
    ("scores", np.ones(2, bool), "has the dtype bool, expected float32"),
    ("scores", None, "is of the type NoneType, expected a numpy array (2,)"),
    ("keypoints_px", zeros(1, 17, 3), "has the shape (1, 17, 3), expected (2, *, 3)"),
    ("keypoints_px", zeros(2, 17, 2), "has the shape (2, 17, 2), expected (2, *, 3)"),
    ("keypoints_px", zeros(2, 51), "has the shape (2, 51), expected (2, *, 3)"),
    ("appearance", zeros(1, 64), "has the shape (1, 64), expected (2, *)"),
    ("appearance", zeros(64), "has the shape (64,), expected (2, *)"),
    ("size_px", (640, 480, 3), "is (640, 480, 3), expected whole numbers (width, height)"),
    ("size_px", (-640, 480), "is (-640, 480), expected (width, height) of at least 1 pixel"),
    ("size_px", (0, 480), "is (0, 480), expected (width, height) of at least 1 pixel"),
    ("size_px", (640.5, 480), "is (640.5, 480), expected whole numbers (width, height)"),
    ("size_px", None, "is None, expected whole numbers (width, height)"),
    ("captured_at_ns", 10**23, f"is {10**23}, expected a number from 0 to {2**63 - 1}"),
    ("captured_at_ns", 0.5, "is 0.5, expected a whole number"),
    ("epoch", -1, f"is -1, expected a number from 0 to {2**63 - 1}"),
    ("seq", True, "is True, expected a whole number"),
    ("camera_motion", (0, (1, 0, 0, 0, 1, 0), 1), "is of the type tuple, expected CameraMotion"),
]
STILL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
BAD_MOTIONS: list[tuple[Any, str]] = [
    (CameraMotion(0, (*STILL[:5], float("nan")), 1.0), "its matrix has a number that is not finite"),
    (CameraMotion(0, (0.0,) * 6, 1.0), "the determinant of its matrix is 0, expected at least 1e-06"),
    (CameraMotion(-1, STILL, 1.0), "its shot is -1, expected 0 to 9007199254740991"),
    (CameraMotion(0, STILL, 1.5), "its certainty is 1.5, expected 0 to 1"),
    (CameraMotion(0, (1.0, 0.0), 1.0), "expected a whole number, six numbers and a number"),  # type: ignore[arg-type]
    (CameraMotion(0.5, STILL, 1.0), "expected a whole number, six numbers and a number"),  # type: ignore[arg-type]
    (CameraMotion(0, None, 1.0), "expected a whole number, six numbers and a number"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("field", "value", "problem"), BAD)
def test_a_field_that_breaks_the_contract_is_named_in_one_line(field: str, value: Any, problem: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        checked_pose_frame(replace(GOOD, **{field: value}))
    assert str(caught.value) == f"PoseFrame.{field} {problem}"


@pytest.mark.parametrize(("motion", "problem"), BAD_MOTIONS)
def test_a_motion_that_no_camera_has_is_refused(motion: CameraMotion, problem: str) -> None:
    with pytest.raises(ValueError, match=r"^PoseFrame\.camera_motion.*" + re.escape(problem)):
        checked_pose_frame(replace(GOOD, camera_motion=motion))


def test_a_good_frame_is_returned_as_it_is() -> None:
    assert checked_pose_frame(GOOD) is GOOD
    bare = replace(GOOD, keypoints_px=None, appearance=None)
    assert checked_pose_frame(bare) is bare


def test_numbers_of_numpy_become_those_of_python() -> None:
    frame = replace(GOOD, seq=np.int32(3), size_px=list(np.array((640, 480))))
    checked = checked_pose_frame(frame)
    assert (checked.seq, checked.size_px) == (3, (640, 480))
    assert {type(number) for number in (checked.seq, *checked.size_px)} == {int}
    motion = CameraMotion(np.int64(2), np.array(STILL), np.float32(0.5))  # type: ignore[arg-type]
    assert checked_pose_frame(replace(GOOD, camera_motion=motion)).camera_motion == CameraMotion(2, STILL, 0.5)


def test_boxes_of_another_shape_are_refused_by_their_geometry() -> None:
    with pytest.raises(ValueError, match=r"first has the shape \(4,\), expected \(\*, 4\)"):
        iou_matrix(zeros(4), zeros(1, 4))
    with pytest.raises(ValueError, match=r"second has the dtype object"):
        iou_matrix(zeros(1, 4), np.zeros((1, 4), object))
    with pytest.raises(ValueError, match=r"b has the shape \(2, 3\)"):
        iou(zeros(2, 4), zeros(2, 3))
    with pytest.raises(ValueError, match=r"corners has the shape \(3,\)"):
        area(zeros(3))


@pytest.mark.parametrize(
    ("polygon", "size", "problem"),
    [
        (zeros(3, 4), (5, 5), r"polygon_px has the shape \(3, 4\), expected \(\*, 2\)"),
        (np.full((3, 2), np.nan), (5, 5), "polygon_px has a number that is not finite"),
        (zeros(3, 2), (5, -1), r"size_px is \(5, -1\)"),
    ],
)
def test_polygons_and_sizes_that_are_none_are_refused(polygon: Any, size: tuple[int, int], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        mask_of(polygon, size)
