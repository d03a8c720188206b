"""People from raw outputs of both layouts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from workers.detections import Head, Limits
from workers.outputs.postprocess import detections_from_output, suppress

PERSON = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)


def naive_iou(a: Float32Array, b: Float32Array) -> float:
    """Return the IoU of two boxes by its definition."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def naive_suppress(boxes: Float32Array, iou: float) -> list[int]:
    """Suppress greedily, one box after the other."""
    kept: list[int] = []
    for index, box in enumerate(boxes):
        if all(naive_iou(boxes[other], box) <= iou for other in kept):
            kept.append(index)
    return kept


def random_boxes(count: int, seed: int) -> Float32Array:
    """Return boxes on whole pixels in a small area, so that many overlap and every IoU is exact in float32."""
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 60, (count, 2))
    return np.hstack((corner, corner + rng.integers(0, 40, (count, 2)))).astype(np.float32)


@settings(deadline=None)
@given(count=st.integers(0, 40), seed=st.integers(0, 2**32 - 1), iou=st.sampled_from([0.3, 0.45, 0.7, 1.0]))
def test_suppression_equals_the_greedy_reference(count: int, seed: int, iou: float) -> None:
    boxes = random_boxes(count, seed)
    assert suppress(boxes, iou, 300).tolist() == naive_suppress(boxes, iou)


@pytest.mark.parametrize("count", [255, 256, 257, 900])
def test_suppression_over_several_blocks_equals_the_greedy_reference(count: int) -> None:
    boxes = random_boxes(count, seed=count)
    expected = naive_suppress(boxes, 0.6)
    assert suppress(boxes, 0.6, 1000).tolist() == expected
    assert suppress(boxes, 0.6, 7).tolist() == expected[:7]


def test_overlap_of_empty_boxes_is_zero() -> None:
    empty = np.array([[5, 5, 5, 5]], np.float32)
    np.testing.assert_array_equal(iou_matrix(empty, empty), [[0]])


def dense_output(people: list[tuple[list[float], list[float]]], head: Head, anchors: int = 200) -> Float32Array:
    """Return a dense output with only `people`: (cx, cy, w, h), class scores, keypoint values 0, 1, 2, …"""
    values = head.keypoints * head.keypoint_dims
    output = np.zeros((4 + head.classes + values, anchors), np.float32)
    for index, (box, scores) in enumerate(people):
        output[:, index * 7] = [*box, *scores, *(np.arange(values) + 1000 * index)]
    return output


def test_dense_people_are_sorted_suppressed_and_have_their_own_keypoints() -> None:
    people = [
        ([100.0, 100.0, 40.0, 80.0], [0.6]),
        ([300.0, 100.0, 40.0, 80.0], [0.9]),
        ([101.0, 100.0, 40.0, 80.0], [0.8]),  # the first one again, and better
        ([500.0, 100.0, 40.0, 80.0], [0.2]),
    ]
    found = detections_from_output(dense_output(people, PERSON), PERSON, Limits(0.25, 0.7, 300))
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_allclose(found.boxes_xyxy_px, [[280, 60, 320, 140], [81, 60, 121, 140]])
    np.testing.assert_allclose(found.keypoints_px[:, 0], [[1000, 1001, 1002], [2000, 2001, 2002]])
    for array in (found.boxes_xyxy_px, found.scores, found.keypoints_px):
        assert array.dtype == np.float32
        assert array.flags.c_contiguous


def test_scores_must_exceed_the_threshold_and_the_best_are_kept() -> None:
    people = [([100.0 * n, 100.0, 40.0, 80.0], [0.5 + n / 8]) for n in range(4)]
    output = dense_output(people, PERSON)
    assert detections_from_output(output, PERSON, Limits(0.5, 0.7, 300)).scores.tolist() == [
        0.875,
        0.75,
        0.625,
    ]
    assert detections_from_output(output, PERSON, Limits(0.5, 0.7, 1)).scores.tolist() == [0.875]


def test_output_without_people_gives_none() -> None:
    for head in (PERSON, Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=True, stride=32)):
        output = np.zeros((300, 57) if head.end_to_end else (56, 8400), np.float32)
        found = detections_from_output(output, head, Limits(0.1, 0.7, 300))
        assert found.boxes_xyxy_px.shape == (0, 4)
        assert found.scores.shape == (0,)
        assert found.keypoints_px.shape == (0, 17, 3)


def test_boxes_of_different_classes_do_not_suppress_each_other() -> None:
    head = Head(classes=2, keypoints=4, keypoint_dims=3, end_to_end=False, stride=32)
    box = [100.0, 100.0, 40.0, 80.0]
    people = [(box, [0.9, 0.0]), (box, [0.0, 0.8]), (box, [0.7, 0.1])]
    found = detections_from_output(dense_output(people, head), head, Limits(0.25, 0.7, 300))
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    assert found.keypoints_px.shape == (2, 4, 3)


def test_keypoints_without_confidence_get_confidence_one() -> None:
    head = Head(classes=1, keypoints=5, keypoint_dims=2, end_to_end=False, stride=32)
    found = detections_from_output(
        dense_output([([100.0, 100.0, 40.0, 80.0], [0.9])], head), head, Limits(0.25, 0.7, 300)
    )
    np.testing.assert_array_equal(found.keypoints_px[0, :2], [[0, 1, 1], [2, 3, 1]])


def test_end_to_end_rows_are_only_filtered() -> None:
    head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=True, stride=32)
    rows = np.zeros((300, 57), np.float32)
    rows[0, :7] = [10, 20, 30, 40, 0.9, 0, 7]
    rows[1, :7] = [10, 20, 30, 40, 0.8, 0, 8]
    rows[2, :7] = [10, 20, 30, 40, 0.1, 0, 9]
    found = detections_from_output(rows, head, Limits(0.1, 0.7, 300))
    np.testing.assert_allclose(found.boxes_xyxy_px, [[10, 20, 30, 40]] * 2)
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_allclose(found.keypoints_px[:, 0, 0], [7, 8])
    assert len(detections_from_output(rows, head, Limits(0.1, 0.7, 1)).scores) == 1
