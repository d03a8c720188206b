"""Drawing: which people are drawn and how, for any coordinates."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import samples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posebus.arrays import Float32Array, UInt8Array
from posebus.messages import Track, TrackFrame
from recordings.results.draw import Color, color_of, draw_people, draw_tracks, skeletons_only

STANDING = np.array(
    [
        *((100, 30), (104, 26), (96, 26), (110, 28), (90, 28)),  # face
        *((125, 60), (75, 60), (135, 110), (65, 110), (138, 150), (62, 150)),  # arms
        *((115, 150), (85, 150), (117, 210), (83, 210), (118, 270), (82, 270)),  # legs
    ],
    np.float32,
) * np.float32(3)


def person(confidence: float = 0.9) -> Float32Array:
    return np.concatenate([STANDING, np.full((17, 1), confidence, np.float32)], axis=1)


def frame(*states: str, size_px: tuple[int, int] = (600, 900), confidence: float = 0.9) -> TrackFrame:
    box = np.array([150, 45, 450, 855], np.float32)
    tracks = tuple(Track(number, box, 0.9, person(confidence), state, 1.0) for number, state in enumerate(states, 1))
    return TrackFrame("door", 1, 0, 0, size_px, tracks)


def changed(image: np.ndarray) -> int:  # type: ignore[type-arg]
    return int((image != image[0, 0]).any(axis=2).sum())


def bright(image: np.ndarray) -> int:  # type: ignore[type-arg]
    """Return the number of pixels of lines and dots, without their dark rims."""
    return int((image.max(axis=2) > 100).sum())


def distance(first: Color, second: Color) -> float:
    return float(np.linalg.norm(np.subtract(first, second)))


def test_colors_are_stable_and_those_of_neighbouring_numbers_differ() -> None:
    colors = [color_of(number) for number in range(1, 60)]
    assert colors == [color_of(number) for number in range(1, 60)]
    assert min(distance(a, b) for a, b in itertools.pairwise(colors)) > 60
    assert min(distance(a, b) for a, b in itertools.combinations(colors[:8], 2)) > 35
    assert all(max(color) > 150 for color in colors)


def test_confirmed_tracks_are_bolder_than_lost_ones_and_tentative_ones_are_not_drawn() -> None:
    confirmed, lost = (changed(skeletons_only(frame(state))) for state in ("confirmed", "lost"))
    assert confirmed > 1.5 * lost > 0
    assert changed(skeletons_only(frame("tentative", "ended"))) == 0


def test_joints_of_low_confidence_are_not_drawn() -> None:
    sure, guessed = skeletons_only(frame("confirmed")), skeletons_only(frame("confirmed", confidence=0.4))
    assert (sure[300:360, 180:216] != guessed[300:360, 180:216]).any()
    assert (guessed[180:840, 165:435] == guessed[450, 300]).all()


def with_visibility(state: str, *flags: int) -> TrackFrame:
    """Return a frame with one person whose joints have `flags`, repeated, and contradicting confidences."""
    sent = frame(state, confidence=0.9 if 0 in flags else 0.1)
    visibility = np.resize(np.array(flags, np.uint8), 17)
    return replace(sent, tracks=(replace(sent.tracks[0], keypoint_visibility=visibility),))


def test_visibility_flags_override_the_confidence() -> None:
    seen, hidden, unknown = (skeletons_only(with_visibility("confirmed", flag)) for flag in (2, 1, 0))
    assert (seen == skeletons_only(frame("confirmed"))).all()
    assert bright(seen) > 1.3 * bright(hidden)
    assert (unknown[180:840, 165:435] == unknown[450, 300]).all()


def test_hidden_joints_are_hollow_and_their_limbs_thin() -> None:
    image = skeletons_only(with_visibility("confirmed", 2, 1))  # from the shoulders down left is hidden, right is seen
    for joint, (x, y) in enumerate(STANDING.astype(int)[5:], 5):
        assert (image[y, x].min() > 200) == (joint % 2 == 0), joint
        assert bright(image[y - 3 : y + 4, x - 3 : x + 4]) > 5, joint
    right_thigh, left_thigh = (bright(image[540:541, left : left + 60]) for left in (215, 315))
    assert right_thigh > left_thigh > 0


def test_skeleton_of_a_lost_track_is_fainter_than_a_hidden_one_of_a_confirmed_track() -> None:
    coasted, hidden = (skeletons_only(with_visibility(state, 1)) for state in ("lost", "confirmed"))
    assert 0 < 1.3 * bright(coasted) < bright(hidden)


def is_solid(image: np.ndarray) -> bool:  # type: ignore[type-arg]
    """Return whether the left side of the box of `frame` has no gap."""
    return bool((image[100:800, 149:152].max(axis=2) > 100).any(axis=1).all())


def test_coasted_confirmed_track_is_dashed_in_its_colour_and_bolder_than_a_lost_one() -> None:
    seen, lost = frame("confirmed"), frame("lost")
    coasted = replace(seen, tracks=(replace(seen.tracks[0], coasted=True),))
    drawn = {name: skeletons_only(item) for name, item in (("seen", seen), ("coasted", coasted), ("lost", lost))}
    assert {name: is_solid(image) for name, image in drawn.items()} == {"seen": True, "coasted": False, "lost": False}
    assert bright(drawn["seen"]) > 1.3 * bright(drawn["coasted"])
    assert bright(drawn["coasted"]) > 1.05 * bright(drawn["lost"])
    assert {name: distance(image[42, 151], color_of(1)) < 5 for name, image in drawn.items()} == {
        "seen": True, "coasted": True, "lost": False,
    }  # fmt: skip
    for x, y in STANDING[5:].astype(int):
        assert drawn["coasted"][y, x].max() < 100, (x, y)


def test_detected_person_covers_a_coasted_one() -> None:
    behind, front = frame("confirmed", "confirmed").tracks
    order = (front, replace(behind, coasted=True, box_xyxy_px=behind.box_xyxy_px + np.float32(1)))
    image = skeletons_only(replace(frame("confirmed"), tracks=order))
    assert distance(image[42, 153], color_of(front.id)) < 5


def test_joints_are_drawn_at_their_positions() -> None:
    image = skeletons_only(frame("confirmed"))
    for x, y in STANDING[5:].astype(int):
        assert image[y, x].min() > 200, (x, y)


def test_drawing_is_scaled_to_a_reduced_picture() -> None:
    image = np.zeros((300, 200, 3), np.uint8)
    draw_tracks(image, frame("confirmed"))
    rows, columns = np.nonzero(image.any(axis=2))
    assert abs(rows.max() - 285) <= 2
    assert abs(columns.max() - 150) <= 2


def test_picture_without_people_stays_unchanged() -> None:
    image = np.full((40, 60, 3), 7, np.uint8)
    draw_people(image, np.zeros((0, 4), np.float32), np.zeros((0, 17, 3), np.float32), [], [])
    draw_tracks(image, TrackFrame("door", 1, 0, 0, (60, 40), ()))
    assert (image == 7).all()


def test_people_without_keypoints_are_drawn_as_boxes() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    draw_people(image, np.array([[10, 10, 50, 90]], np.float32), None, [""], [(0, 0, 255)])
    assert image[50, 10, 2] > 200
    assert image[50, 30, 2] == 0


@given(
    keypoints=hnp.arrays(np.float32, (2, 17, 3), elements=st.floats(width=32)),
    boxes=hnp.arrays(np.float32, (2, 4), elements=st.floats(width=32)),
    size_px=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    flags=st.none() | hnp.arrays(np.uint8, 17, elements=st.integers(0, 2)),
    coasted=st.booleans(),
)
def test_any_coordinates_can_be_drawn(
    keypoints: Float32Array, boxes: Float32Array, size_px: tuple[int, int], flags: UInt8Array | None, coasted: bool
) -> None:
    tracks = tuple(
        Track(index, boxes[index], 0.5, keypoints[index], state, 0.0, keypoint_visibility=flags, coasted=coasted)
        for index, (state, coasted) in enumerate((("confirmed", coasted), ("lost", True)))
    )
    image = skeletons_only(TrackFrame("door", 1, 0, 0, (640, 480), tracks), size_px)
    assert image.shape == (size_px[1], size_px[0], 3)
    labels = ["7", "a long label"]
    draw_people(image, boxes, keypoints, labels, [color_of(7), color_of(8)])


def test_nearer_person_covers_the_farther_one() -> None:
    far, near = np.array([10, 10, 60, 80], np.float32), np.array([30, 10, 80, 95], np.float32)
    image = np.zeros((100, 100, 3), np.uint8)
    draw_people(image, np.stack([near, far]), None, ["", ""], [(0, 0, 255), (0, 255, 0)])
    assert image[10, 45, 2] > 200 > 60 > image[10, 45, 1]


def test_tracks_of_a_sample_are_drawn() -> None:
    assert changed(skeletons_only(samples.track_frame())) > 0
