"""Several looks at one person: who of the found it is, the mirror image, and the weights."""

from __future__ import annotations

import numpy as np
import pytest

from posebus.arrays import Float32Array
from posebus.coco import COCO_KEYPOINT_NAMES
from workers.detections import Detections
from workers.keypoints.merging import MIRRORED, Look, merge, the_person, unmirrored


def people(*boxes: tuple[float, float, float, float]) -> Detections:
    """Each with all keypoints at its own number."""
    keypoints = np.stack([np.full((17, 3), number, np.float32) for number in range(len(boxes))])
    return Detections(np.array(boxes, np.float32), np.full(len(boxes), 0.9, np.float32), keypoints)


def everywhere(x: float, y: float, confidence: float) -> Float32Array:
    return np.tile(np.array((x, y, confidence), np.float32), (17, 1))


BOX = np.array((10, 10, 50, 110), np.float32)


def test_the_person_is_who_fills_the_box_best() -> None:
    found = the_person(people((0, 0, 20, 40), (12, 10, 50, 105), (30, 10, 70, 110)), BOX)
    assert found is not None
    assert found[0, 0] == 1


def test_a_neighbour_in_the_crop_is_not_the_person() -> None:
    assert the_person(people((35, 10, 75, 110)), BOX) is None
    nobody = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 17, 3), np.float32))
    assert the_person(nobody, BOX) is None


def test_left_and_right_change_places_in_the_mirror() -> None:
    for place, other in enumerate(MIRRORED):
        names = COCO_KEYPOINT_NAMES[place], COCO_KEYPOINT_NAMES[other]
        assert names[1] == (names[0].replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right"))


def test_what_is_mirrored_twice_is_as_it_was() -> None:
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


def test_one_look_is_the_answer() -> None:
    alone = everywhere(5, 6, 0)
    np.testing.assert_array_equal(merge([Look(alone, 1)]), alone)


def test_a_look_at_three_times_the_size_counts_nine_times() -> None:
    merged = merge([Look(everywhere(0, 100, 0.5), 1), Look(everywhere(10, 0, 0.5), 3)])
    np.testing.assert_allclose(merged, everywhere(9, 10, 0.5), rtol=1e-6)


def test_a_look_that_is_unsure_of_a_joint_counts_less_there() -> None:
    sure, unsure = everywhere(0, 0, 0.9), everywhere(10, 10, 0.9)
    unsure[4, 2] = 0.1
    merged = merge([Look(sure, 2), Look(unsure, 2)])
    np.testing.assert_allclose(merged[0], (5, 5, 0.9), rtol=1e-6)
    np.testing.assert_allclose(merged[4], (1, 1, 0.5), rtol=1e-6)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_joints_that_nobody_sees_stay_between_the_looks(scale: float) -> None:
    merged = merge([Look(everywhere(0, 0, 0), 1), Look(everywhere(10, 20, 0), scale)])
    assert np.all(np.isfinite(merged))
    assert 0 <= merged[0, 0] <= 10
    assert merged[0, 2] == 0
