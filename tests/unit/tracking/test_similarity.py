from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.tracking.scenes import person, pose_frame

from posebus.settings import TrackerSettings
from tracking.boxes import iou, to_centre, to_corners
from tracking.detections import Detections, detections_of
from tracking.lifecycle import begun
from tracking.similarity import COCO_SIGMAS, joint_sigmas, oks, similarity
from tracking.track import Tracks

boxes = st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(1, 500), st.floats(1, 500)).map(
    lambda p: np.array([[p[0], p[1], p[0] + p[2], p[1] + p[3]]])
)


def seen(boxes_px: list[np.ndarray], *, keypoints: bool = True) -> tuple[Detections, Tracks]:
    """Detections, and tracks that have just begun with them."""
    detections = detections_of(pose_frame(boxes_px, 0, 0.0, keypoints=keypoints), 0.1)
    return detections, begun(np.arange(len(detections)), detections, 1, 0, TrackerSettings())


@given(boxes, boxes)
def test_iou_is_a_symmetric_part(a: np.ndarray, b: np.ndarray) -> None:
    overlap = iou(a, b)[0, 0]
    assert 0.0 <= overlap <= 1.0
    assert overlap == pytest.approx(iou(b, a)[0, 0])
    assert iou(a, a)[0, 0] == pytest.approx(1.0)


@given(boxes)
def test_box_forms_are_inverse(box: np.ndarray) -> None:
    np.testing.assert_allclose(to_corners(to_centre(box)), box, atol=1e-9)


def test_iou_of_known_boxes() -> None:
    a = np.array([[0.0, 0.0, 10.0, 10.0]])
    b = np.array([[5.0, 0.0, 15.0, 10.0], [20.0, 20.0, 30.0, 30.0], [0.0, 0.0, 10.0, 10.0]])
    np.testing.assert_allclose(iou(a, b), [[1 / 3, 0.0, 1.0]])


def skeletons(count: int, confidence: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(count)
    return np.concatenate([rng.uniform(0, 100, (count, 17, 2)), np.full((count, 17, 1), confidence)], axis=2)


def test_oks_of_the_same_skeleton_is_one() -> None:
    joints = skeletons(3)
    alike, visible = oks(joints, joints, np.full(3, 900.0), np.zeros(3))
    np.testing.assert_allclose(alike, 1.0)
    np.testing.assert_allclose(visible, 1.0)


def test_oks_is_cocos_definition() -> None:
    """One joint moved by d, the others in place: exp(-d^2 / (2 area (2 sigma)^2))."""
    truth, moved = skeletons(1), skeletons(1)
    moved[0, 11, 0] += 4.0
    alike, _ = oks(truth, moved, np.array([900.0]), np.zeros(1))
    expected = (16 + np.exp(-(4.0**2) / (2 * 900.0 * (2 * COCO_SIGMAS[11]) ** 2))) / 17
    np.testing.assert_allclose(alike, expected)


def test_oks_leaves_out_what_one_side_does_not_see() -> None:
    truth, moved = skeletons(1), skeletons(1)
    moved[0, :5, :2] += 500.0
    moved[0, :5, 2] = 0.0
    alike, visible = oks(truth, moved, np.array([900.0]), np.zeros(1))
    np.testing.assert_allclose(alike, 1.0)
    np.testing.assert_allclose(visible, 12 / 17)


def test_oks_without_common_joints_is_nothing() -> None:
    alike, visible = oks(skeletons(1, 0.0), skeletons(1), np.array([900.0]), np.zeros(1))
    assert alike[0] == 0.0
    assert visible[0] == 0.0


def test_doubt_widens_the_tolerance() -> None:
    truth, moved = skeletons(2), skeletons(2)
    moved[:, :, 0] += 6.0
    alike, _ = oks(truth, moved, np.full(2, 900.0), np.array([0.0, 100.0]))
    assert alike[0] < alike[1] < 1.0


def test_other_skeletons_have_the_mean_tolerance() -> None:
    np.testing.assert_allclose(joint_sigmas(21), np.mean(COCO_SIGMAS))


@pytest.mark.parametrize("keypoints", [True, False])
def test_a_body_is_most_like_itself(keypoints: bool) -> None:
    detections, tracks = seen([person(x, 300) for x in (200, 260, 320, 900)], keypoints=keypoints)
    alike = similarity(tracks, detections)
    np.testing.assert_allclose(np.diag(alike), 1.0)
    assert (alike.argmax(axis=1) == np.arange(4)).all()
    assert (alike >= 0).all()
    assert (alike <= 1 + 1e-9).all()
    assert alike[0, 3] < 0.01


def test_the_skeleton_tells_bodies_apart_that_boxes_cannot() -> None:
    _, tracks = seen([person(300, 300)])
    mirrored = detections_of(pose_frame([person(300, 300)] * 2, 1, 0.05), 0.1)
    assert mirrored.joints is not None
    mirrored.joints[1, :, 1] = 600 - mirrored.joints[1, :, 1]
    alike = similarity(tracks, mirrored)
    assert alike[0, 0] - alike[0, 1] > 0.1


@pytest.mark.parametrize(("tracks_n", "people_n"), [(0, 0), (0, 3), (3, 0)])
def test_nobody_is_like_nobody(tracks_n: int, people_n: int) -> None:
    _, tracks = seen([person(100 + 200 * i, 300) for i in range(tracks_n)])
    detections, _ = seen([person(100 + 200 * i, 300) for i in range(people_n)])
    assert similarity(tracks, detections).shape == (tracks_n, people_n)


def test_unusable_people_are_left_out() -> None:
    frame = pose_frame([person(200, 300)] * 6, 0, 0.0, scores=[0.9, 0.9, 0.9, 0.9, 0.05, np.nan])
    frame.boxes_xyxy_px[1, 0] = np.nan
    frame.boxes_xyxy_px[2, 2] = frame.boxes_xyxy_px[2, 0]
    frame.boxes_xyxy_px[3, 3] = np.inf
    assert frame.keypoints_px is not None
    frame.keypoints_px[0, 3] = np.nan
    detections = detections_of(frame, 0.1)
    assert detections.rows.tolist() == [0]
    assert detections.joints is not None
    assert np.isfinite(detections.joints).all()
    assert detections.joints[0, 3, 2] == 0.0
