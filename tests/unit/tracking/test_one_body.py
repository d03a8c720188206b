"""Which pairs of detections of one frame show one body: by arithmetic on standing skeletons."""

from __future__ import annotations

import numpy as np
import pytest
from unit.tracking.scenes import person, pose_frame

from posebus.messages import PoseFrame
from tracking import body_model as model
from tracking.detections import detections_of
from tracking.matching.one_body import BY_BOX, CERTAIN, OVERLAPPING, POSSIBLE, pairs_of_one_body

COCO_SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
"""As published on https://cocodataset.org/#keypoints-eval."""

HEIGHT, WIDTH = 200.0, 80.0


def oks(joints_a: np.ndarray, joints_b: np.ndarray, area: float) -> float:
    """COCO's formula, with the area that pycocotools assumes for a box, over joints that are seen in both."""
    seen = (joints_a[:, 2] >= 0.5) & (joints_b[:, 2] >= 0.5)
    distance2 = ((joints_a[:, :2] - joints_b[:, :2]) ** 2).sum(axis=1)
    return float(np.exp(-distance2 / (2 * 0.53 * area * (2 * COCO_SIGMAS) ** 2))[seen].mean())


def upper_half(frame: PoseFrame, row: int, share: float = 0.55) -> None:
    """Cut a detection below `share` of its height, in place; its legs are guesses."""
    box, joints = frame.boxes_xyxy_px[row], frame.keypoints_px[row]  # type: ignore[index]
    box[3] = box[1] + share * (box[3] - box[1])
    joints[11:, 2] = 0.15


def surest(frame: PoseFrame) -> int | None:
    """How certain it is that the two detections of the frame show one body; None if they are no pair."""
    pairs = pairs_of_one_body(detections_of(frame, 0.1))
    assert len(pairs.doubles) + len(pairs.overlapping) <= 1
    if len(pairs.doubles):
        return int(pairs.doubles[0, 2])
    return OVERLAPPING if len(pairs.overlapping) else None


@pytest.mark.parametrize("dx", np.linspace(0, 40, 21))
def test_joints_decide_by_their_oks(dx: float) -> None:
    """The upper half of a body at a distance, so that boxes alone say nothing."""
    frame = pose_frame([person(600, 300), person(600 + dx, 300)], 0, 0.0)
    upper_half(frame, 1, share=0.5)
    frame.boxes_xyxy_px[1, 1] += 20  # not the same top
    joints = np.float64(frame.keypoints_px)
    similarity = oks(joints[0], joints[1], WIDTH * HEIGHT)
    expected = CERTAIN if similarity >= 0.7 else POSSIBLE if similarity >= 0.5 else OVERLAPPING
    inside = (WIDTH - dx) / WIDTH >= 0.6  # of the half's box
    assert surest(frame) == (expected if inside else None)


def test_range_of_that_test_covers_all_answers() -> None:
    similarity = [oks(*pose_frame([person(0, 0), person(dx, 0)], 0, 0).keypoints_px, 16000) for dx in (0, 9, 30)]  # type: ignore[misc]
    assert similarity[0] == 1
    assert 0.5 < similarity[1] < 0.7
    assert similarity[2] < 0.5


PAIRS = {
    "shoulder to shoulder": (person(600, 300), person(600 + WIDTH, 300)),
    "shoulders overlap": (person(600, 300), person(600 + 0.6 * WIDTH, 300)),
    "a quarter of a body aside": (person(600, 300), person(620, 300)),
    "behind, a quarter aside": (person(600, 300), person(620, 295, 180)),
    "behind, farther away": (person(600, 300), person(612, 280, 140)),
    "child before adult": (person(600, 300), person(600, 340, 120)),
    "child beside adult": (person(600, 300), person(630, 345, 110)),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_two_people_are_not_one_body(pair: tuple[np.ndarray, np.ndarray], scale: float) -> None:
    assert surest(pose_frame([scale * box for box in pair], 0, 0.0)) in (None, OVERLAPPING, BY_BOX)


def test_hidden_person_with_legs_on_the_one_in_front_is_no_double() -> None:
    """Networks often place the legs of a hidden person on the person in front; head and arms are its own."""
    frame = pose_frame([person(600, 300), person(632, 300)], 0, 0.0)
    assert frame.keypoints_px is not None
    frame.keypoints_px[1, 11:] = frame.keypoints_px[0, 11:]
    assert surest(frame) == OVERLAPPING


def test_mirrored_half_is_one_body() -> None:
    frame = pose_frame([person(600, 300)] * 2, 0, 0.0)
    assert frame.keypoints_px is not None
    upper_half(frame, 1)
    frame.keypoints_px[1] = frame.keypoints_px[1, [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]]
    assert surest(frame) == CERTAIN


@pytest.mark.parametrize(("joints", "expected"), [(2, CERTAIN), (5, CERTAIN), (26, CERTAIN)])
def test_models_with_other_joints(joints: int, expected: int) -> None:
    frame = pose_frame([person(600, 300)] * 2, 0, 0.0)
    assert frame.keypoints_px is not None
    more = np.resize(frame.keypoints_px, (2, joints, 3))
    more[1] = more[0]
    frame.boxes_xyxy_px[1] = [580, 220, 615, 330]  # only the joints say that this is the same body
    few = PoseFrame("c", 1, 0, 0, frame.size_px, frame.boxes_xyxy_px, frame.scores, more)
    assert surest(few) == expected
    more[1, :, 0] += 60
    assert surest(few) == OVERLAPPING


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ([560, 200, 640, 310], CERTAIN),  # the upper half
        ([562, 203, 637, 310], CERTAIN),
        ([560, 290, 640, 400], CERTAIN),  # the lower half
        ([560, 200, 640, 400], CERTAIN),
        ([573, 203, 640, 310], OVERLAPPING),  # something inside
        ([580, 280, 640, 400], OVERLAPPING),  # a child before an adult
        ([568, 208, 648, 408], BY_BOX),
        ([600, 200, 680, 400], None),
    ],
)
def test_without_joints_three_sides_decide(second: list[float], expected: int | None) -> None:
    frame = pose_frame([np.array([560, 200, 640, 400]), np.array(second)], 0, 0.0, keypoints=False)
    assert surest(frame) == expected


@pytest.mark.parametrize(
    ("scores", "first", "whole"),
    [((0.9, 0.5), 0, 1), ((0.5, 0.6), 0, 1), ((0.4, 0.9), 1, 0)],
    ids=["whole and sure", "whole and nearly as sure", "whole but unsure"],
)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_whole_body_is_preferred_to_its_half(
    scores: tuple[float, float], first: int, whole: int, order: tuple[int, int]
) -> None:
    frame = pose_frame([person(600, 300)] * 2, 0, 0.0, scores=[scores[i] for i in order])
    upper_half(frame, order.index(1))
    pairs = pairs_of_one_body(detections_of(frame, 0.1)).doubles
    assert pairs.tolist() == [[order.index(first), order.index(1 - first), CERTAIN, whole]]


def test_box_around_two_people_is_no_whole_body() -> None:
    """It is wider than the person's own box, not longer."""
    frame = pose_frame([person(600, 300)] * 2, 0, 0.0, scores=[0.6, 0.7])
    frame.boxes_xyxy_px[0, 2] += 100
    pairs = pairs_of_one_body(detections_of(frame, 0.1)).doubles
    assert pairs.tolist() == [[1, 0, CERTAIN, 0]]


def test_switched_off_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "ONE_BODY", model.OneBody(contained=2.0))
    assert surest(pose_frame([person(600, 300)] * 2, 0, 0.0)) is None


def test_pairs_of_many_detections_are_those_of_each_two() -> None:
    """Three bodies with three, two and one detections."""
    boxes = [person(300, 300), person(301, 300), person(300, 301), person(600, 300), person(602, 300), person(900, 300)]
    pairs = pairs_of_one_body(detections_of(pose_frame(boxes, 0, 0.0, scores=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), 0.1))
    assert [pair[:2] for pair in pairs.doubles.tolist()] == [[0, 1], [0, 2], [1, 2], [3, 4]]
