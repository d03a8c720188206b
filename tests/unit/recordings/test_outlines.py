"""Outlines are drawn, and people are blurred."""

from __future__ import annotations

import numpy as np

from recordings.results.outlines import blur_people, draw_outlines

BOX = np.array(((20, 20, 60, 90),), np.float32)
DIAMOND = np.array(((40, 20), (60, 55), (40, 90), (20, 55)), np.float32)
NONE = np.zeros((0, 2), np.float32)


def noise() -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(1).integers(0, 256, (100, 120, 3), np.uint8)


def test_outlines_are_drawn_in_their_colours() -> None:
    image = np.zeros((100, 120, 3), np.uint8)
    draw_outlines(image, [DIAMOND, NONE], [(0, 200, 0), (200, 0, 0)])
    assert 150 < image[:, :, 1].max() <= 200
    assert not image[:, :, 0].any()
    assert image[55, 20].any()
    assert not image[55, 40].any()


def test_inside_of_an_outline_is_blurred_and_nothing_else() -> None:
    image, before = noise(), noise()
    blur_people(image, BOX, [DIAMOND])
    inside = image[45:65, 35:45]
    assert inside.std() < before[45:65, 35:45].std() / 3
    np.testing.assert_array_equal(image[20:30, 20:26], before[20:30, 20:26])
    np.testing.assert_array_equal(image[:, 70:], before[:, 70:])


def test_person_without_an_outline_is_blurred_by_the_box() -> None:
    image, before = noise(), noise()
    blur_people(image, BOX, [NONE])
    assert image[20:90, 20:60].std() < before[20:90, 20:60].std() / 3
    np.testing.assert_array_equal(image[:, 70:], before[:, 70:])


def test_people_at_the_edge_and_outside_the_picture_can_be_blurred() -> None:
    image = noise()
    boxes = np.array(((-30, -30, 5, 5), (300, 10, 340, 60), (10, 10, 10, 10), (110, 90, 120, 100)), np.float32)
    blur_people(image, boxes, [NONE] * 4)
    assert not (image[95:, 112:] == noise()[95:, 112:]).all()
