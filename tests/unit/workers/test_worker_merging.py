"""Keypoint estimates of one person: matching the box, the mirror image, and the weights of merging."""

from __future__ import annotations

import numpy as np
import pytest

from posebus.arrays import Float32Array
from posebus.coco import COCO_KEYPOINT_NAMES
from workers.detections import Detections
from workers.keypoints.merging import MIRRORED, KeypointEstimate, matching_keypoints, merge_estimates, unmirrored


def people(*boxes: tuple[float, float, float, float]) -> Detections:
    """Return detections; all keypoint values of a person are its row."""
    keypoints = np.stack([np.full((17, 3), number, np.float32) for number in range(len(boxes))])
    return Detections(np.array(boxes, np.float32), np.full(len(boxes), 0.9, np.float32), keypoints)


def everywhere(x: float, y: float, confidence: float) -> Float32Array:
    return np.tile(np.array((x, y, confidence), np.float32), (17, 1))


BOX = np.array((10, 10, 50, 110), np.float32)


def test_detection_that_overlaps_the_box_most_is_the_person() -> None:
    found = matching_keypoints(people((0, 0, 20, 40), (12, 10, 50, 105), (30, 10, 70, 110)), BOX)
    assert found is not None
    assert found[0, 0] == 1


def test_neighbour_in_the_crop_is_not_the_person() -> None:
    assert matching_keypoints(people((35, 10, 75, 110)), BOX) is None
    none = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 17, 3), np.float32))
    assert matching_keypoints(none, BOX) is None


def test_mirroring_exchanges_left_and_right() -> None:
    for place, other in enumerate(MIRRORED):
        names = COCO_KEYPOINT_NAMES[place], COCO_KEYPOINT_NAMES[other]
        assert names[1] == (names[0].replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right"))


def test_mirroring_twice_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    found = Detections(
        np.array(((10, 20, 60, 90),), np.float32),
        np.ones(1, np.float32),
        rng.random((1, 17, 3), dtype=np.float32) * 50,
    )
    once = unmirrored(found, 100)
    np.testing.assert_allclose(once.boxes_xyxy_px, ((40, 20, 90, 90),))
    np.testing.assert_allclose(
        once.keypoints_px[0, 1], (100 - found.keypoints_px[0, 2, 0], *found.keypoints_px[0, 2, 1:])
    )
    np.testing.assert_allclose(unmirrored(once, 100).keypoints_px, found.keypoints_px, atol=1e-5)
    np.testing.assert_allclose(unmirrored(once, 100).boxes_xyxy_px, found.boxes_xyxy_px)


def test_single_estimate_is_returned_unchanged() -> None:
    alone = everywhere(5, 6, 0)
    np.testing.assert_array_equal(merge_estimates([KeypointEstimate(alone, 1)]), alone)


def test_estimate_at_three_times_the_scale_has_nine_times_the_weight() -> None:
    merged = merge_estimates(
        [KeypointEstimate(everywhere(0, 100, 0.5), 1), KeypointEstimate(everywhere(10, 0, 0.5), 3)]
    )
    np.testing.assert_allclose(merged, everywhere(9, 10, 0.5), rtol=1e-6)


def test_less_confident_joint_has_less_weight() -> None:
    sure, unsure = everywhere(0, 0, 0.9), everywhere(10, 10, 0.9)
    unsure[4, 2] = 0.1
    merged = merge_estimates([KeypointEstimate(sure, 2), KeypointEstimate(unsure, 2)])
    np.testing.assert_allclose(merged[0], (5, 5, 0.9), rtol=1e-6)
    np.testing.assert_allclose(merged[4], (1, 1, 0.5), rtol=1e-6)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_joints_without_confidence_stay_between_the_estimates(scale: float) -> None:
    merged = merge_estimates([KeypointEstimate(everywhere(0, 0, 0), 1), KeypointEstimate(everywhere(10, 20, 0), scale)])
    assert np.all(np.isfinite(merged))
    assert 0 <= merged[0, 0] <= 10
    assert merged[0, 2] == 0
