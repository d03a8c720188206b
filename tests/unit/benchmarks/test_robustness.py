"""Each damage is reproducible and leaves its input unchanged; people are expected where a turned picture shows them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.damage import DAMAGES, turned, turned_boxes, turning
from benchmarks.accuracy.people import Person
from benchmarks.accuracy.robustness import AnnotatedPicture, matches, turned_people
from workers.detections import Detections


def marked(x: int, y: int) -> np.ndarray:
    picture = np.full((120, 160, 3), 60, np.uint8)
    picture[y - 3 : y + 4, x - 3 : x + 4] = 250
    return picture


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.name)
def test_damage_is_reproducible_and_leaves_its_input_unchanged(damage: object) -> None:
    picture = marked(40, 30)
    kept = picture.copy()
    one, other = (damage.apply(picture, np.random.default_rng(3)) for _ in range(2))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(picture, kept)
    assert (one.dtype, one.shape[2]) == (np.uint8, 3)


@pytest.mark.parametrize("degrees", [20.0, 90.0, 180.0, -37.0])
def test_people_of_a_turned_picture_are_expected_at_their_turned_places(degrees: float) -> None:
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[0] = 40, 30, 1
    picture = AnnotatedPicture(
        marked(40, 30), (Person(marked(40, 30), np.array([30, 10, 50, 50], np.float32), keypoints, 1.0),)
    )
    picture_turned = turned(degrees).apply(picture.rgb, np.random.default_rng(0))
    (person,) = turned_people(picture, degrees)
    x, y = person.keypoints_px[0, :2].round().astype(int)
    assert picture_turned[y, x].min() > 200
    left, top, right, bottom = person.box_xyxy_px
    assert left < x < right
    assert top < y < bottom


def test_box_turned_by_a_right_angle_swaps_width_and_height() -> None:
    matrix, size_px = turning(160, 120, 90.0)
    assert size_px == (120, 160)
    (box,) = turned_boxes(np.array([[30, 10, 50, 70]], np.float32), matrix)
    np.testing.assert_allclose(box[2:] - box[:2], (60, 20), atol=1e-3)


def test_detection_matches_one_person_only_and_faint_ones_match_none() -> None:
    boxes = np.array([[0, 0, 40, 100], [10, 0, 50, 100]], np.float32)
    people = [Person(marked(40, 30), box, np.zeros((17, 3), np.float32), 1.0) for box in boxes]
    found = Detections(boxes[1:], np.array([0.9], np.float32), np.zeros((1, 17, 3), np.float32))
    assert matches(people, found) == [None, 0]
    faint = Detections(boxes, np.array([0.2, 0.1], np.float32), np.zeros((2, 17, 3), np.float32))
    assert matches(people, faint) == [None, None]
