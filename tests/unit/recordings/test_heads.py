"""Where heads are by the keypoints, and that nothing of them is left after blurring."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from posebus.arrays import Float32Array, UInt8Array
from posebus.messages import Track, TrackFrame
from posebus.privacy.blurring import blur_heads
from posebus.privacy.regions import frame_regions, head_regions, scaled

BOX = np.array([100, 100, 160, 300], np.float32)
HEAD = (118, 102, 142, 130)
"""A head in the box: a person of 200 pixels has one of about 27."""


def person(face_confidence: float = 0.9, shift_px: tuple[float, float] = (0, 0)) -> Float32Array:
    """Return the keypoints (17, 3) of a person who stands in `BOX` and looks into the camera."""
    x = [130, 133, 127, 138, 122, 150, 110, 155, 105, 156, 104, 142, 118, 142, 118, 142, 118]
    y = [118, 114, 114, 116, 116, 140, 140, 170, 170, 200, 200, 205, 205, 250, 250, 295, 295]
    rows = np.column_stack([x, y, np.full(17, 0.9)]).astype(np.float32)
    rows[:5, 2] = face_confidence
    rows[:5, :2] += shift_px
    return rows


def covers(regions: Float32Array, box: tuple[float, float, float, float]) -> bool:
    """Return whether one of the regions contains the whole box."""
    return any(r[0] <= box[0] and r[1] <= box[1] and r[2] >= box[2] and r[3] >= box[3] for r in regions)


def track(**changes: object) -> Track:
    fields: dict[str, object] = {
        "id": 1, "box_xyxy_px": BOX, "score": 0.8, "keypoints_px": person(), "state": "confirmed", "age_s": 1.0,
        "keypoint_visibility": np.full(17, 2, np.uint8),
    }  # fmt: skip
    return Track(**{**fields, **changes})  # type: ignore[arg-type]


def frame(*tracks: Track) -> TrackFrame:
    return TrackFrame("door", 1, 0, 0, (400, 400), tracks)


def test_head_that_is_seen_is_covered_and_the_body_is_not() -> None:
    regions = head_regions(BOX[None], person()[None])
    assert covers(regions, HEAD)
    assert regions[:, 3].max() < 150, "the chest need not be hidden"


@pytest.mark.parametrize(
    "keypoints", [None, person(face_confidence=0.2)[None], person()[None, :5], person(shift_px=(500, 0))[None]]
)
def test_whole_upper_part_is_covered_where_no_head_is_clearly_seen(keypoints: Float32Array | None) -> None:
    assert covers(head_regions(BOX[None], keypoints), (100, 100, 160, 180))


def test_one_point_of_a_face_is_not_enough() -> None:
    keypoints = person(face_confidence=0.1)
    keypoints[0, 2] = 0.9
    assert covers(head_regions(BOX[None], keypoints[None]), (100, 100, 160, 180))


def test_lying_person_is_covered_from_end_to_end_without_a_face() -> None:
    lying = np.array([[50, 300, 250, 350]], np.float32)
    assert covers(head_regions(lying, None), (50, 300, 250, 350))


def test_supposed_face_outside_the_upper_part_is_covered_too() -> None:
    bent = person(face_confidence=0.2, shift_px=(0, 120))
    regions = head_regions(BOX[None], bent[None])
    assert covers(regions, (118, 222, 142, 250))
    assert covers(regions, (100, 100, 160, 180))


def test_close_face_is_covered_by_its_own_size() -> None:
    box = np.array([0, 0, 300, 320], np.float32)
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, :5] = [(150, 160, 0.9), (180, 130, 0.9), (120, 130, 0.9), (220, 150, 0.9), (80, 150, 0.9)]
    assert covers(head_regions(box[None], keypoints), (80, 60, 220, 240))


@pytest.mark.parametrize("state", ["tentative", "confirmed", "lost", "ended"])
def test_heads_of_tracks_of_all_states_are_covered(state: str) -> None:
    assert covers(frame_regions(frame(track(state=state))), HEAD)


@pytest.mark.parametrize(
    "changes", [{"coasted": True}, {"state": "lost"}, {"keypoint_visibility": np.ones(17, np.uint8)}]
)
def test_upper_part_of_a_predicted_or_hidden_person_is_covered(changes: dict[str, object]) -> None:
    assert covers(frame_regions(frame(track(**changes))), (100, 100, 160, 180))


def test_frame_without_people_has_no_heads() -> None:
    assert frame_regions(frame()).shape == (0, 4)
    assert head_regions(np.full((1, 4), np.nan, np.float32), None).shape == (0, 4)


def test_regions_are_scaled_to_a_reduced_picture() -> None:
    regions = np.array([[100, 50, 200, 150]], np.float32)
    np.testing.assert_allclose(scaled(regions, (400, 200), (100, 100)), [[25, 25, 50, 75]])


def noise() -> UInt8Array:
    return np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)


def test_blurred_region_has_no_detail_left_and_the_rest_is_as_it_was() -> None:
    image, before = noise(), noise()
    blur_heads(image, np.array([[20, 30, 84, 94]], np.float32))
    inside = image[30:94, 20:84].astype(int)
    # 2 x 2 blocks joined by straight lines: from pixel to pixel, nothing changes by more than a block to the next.
    assert np.abs(np.diff(inside, axis=0)).max() <= 3
    assert np.abs(np.diff(inside, axis=1)).max() <= 3
    image[30:94, 20:84] = before[30:94, 20:84]
    np.testing.assert_array_equal(image, before)


def test_two_faces_with_the_same_mean_colours_look_the_same_afterwards() -> None:
    one, other = noise(), noise()
    other[30:94, 20:84] = other[30:94, 20:84].reshape(2, 32, 2, 32, 3)[:, ::-1, :, ::-1].reshape(64, 64, 3)
    assert (one != other).any()
    heads = np.array([[20, 30, 84, 94]], np.float32)
    blur_heads(one, heads)
    blur_heads(other, heads)
    np.testing.assert_array_equal(one, other)


def test_heads_at_the_edge_and_outside_the_picture_can_be_blurred() -> None:
    image = noise()
    heads = np.array([[-30, -30, 9, 9], [300, 10, 340, 60], [10, 10, 10, 10], [150, 110, 4e9, 4e9]], np.float32)
    blur_heads(image, heads)
    assert image[:9, :9].std() < noise()[:9, :9].std() / 1.5
    assert not (image[112:, 152:] == noise()[112:, 152:]).all()


@pytest.mark.parametrize("size_px", [(40, 50), (41, 33), (1, 7), (2, 3), (201, 199)])
def test_blurred_region_is_what_reducing_to_two_by_two_and_enlarging_gives(size_px: tuple[int, int]) -> None:
    image = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 256, (*size_px[::-1], 3), np.uint8), (0, 0), 3)
    blocks = cv2.resize(image, (min(2, size_px[0]), min(2, size_px[1])), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(blocks, size_px, interpolation=cv2.INTER_LINEAR)
    blurred = np.asarray(image.copy(), np.uint8)
    blur_heads(blurred, np.array([[0, 0, *size_px]], np.float32))
    np.testing.assert_allclose(blurred.astype(int), expected, atol=1)  # OpenCV rounds its weights
