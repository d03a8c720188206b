"""Appearance descriptors of people in synthetic pictures: dressed rectangles on a street in different light."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from posebus.arrays import Float32Array
from posebus.contract.appearance import PARTS, SIZE, split
from posebus.contract.codec import decode_poses, encode_poses
from posebus.messages import PoseFrame
from tests.samples import PROVENANCE, pose_frame
from tracking.matching.colours import SAME_PERSON_BELOW, distance
from workers.detections import Detections, ImageArray
from workers.outputs.appearance import describe

SIZE_PX = (640, 480)
RED, BLUE, GREEN, GREY, BLACK = (170, 40, 45), (50, 60, 130), (60, 120, 60), (140, 140, 138), (25, 25, 28)
OTHER = 0.4


def street() -> ImageArray:
    """Return an empty scene, u8 RGB (480, 640, 3), with colours and grain."""
    rng = np.random.default_rng(0)
    picture = np.full((480, 640, 3), (120, 115, 105), np.float64)
    picture[:200] = (150, 160, 175)
    return np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)


def skeleton(x_px: float, top_px: float = 100.0, height_px: float = 240.0, half_width_px: float = 20.0) -> Float32Array:
    """Return the joints (17, 3) of an upright person from the front, all with full confidence."""
    joints = np.zeros((17, 3), np.float32)
    joints[:, 2] = 0.95
    joints[:, 0] = x_px
    for left, down in ((0, 0.08), (5, 0.2), (7, 0.35), (9, 0.48), (11, 0.52), (13, 0.75), (15, 0.96)):
        joints[left : left + 2, 1] = top_px + down * height_px
        joints[left : left + 2, 0] += np.array((half_width_px, -half_width_px), np.float32)
    joints[2:5, 1] = joints[0, 1]
    return joints


def dress(
    picture: ImageArray, joints: Float32Array, shirt: tuple[int, int, int], trousers: tuple[int, int, int]
) -> None:
    shoulder, hip, ankle = joints[5], joints[11], joints[15]
    left, right = round(float(joints[6, 0])) - 12, round(float(joints[5, 0])) + 12
    cv2.rectangle(picture, (left, round(float(shoulder[1])) - 8), (right, round(float(hip[1]))), shirt, -1)
    cv2.rectangle(picture, (left, round(float(hip[1]))), (right, round(float(ankle[1])) + 8), trousers, -1)


def people(*skeletons: Float32Array, score: float = 0.9) -> Detections:
    """Return detections with boxes around the joints."""
    joints = np.stack(skeletons)
    finite = np.nan_to_num(joints, posinf=0.0)
    low, high = finite[..., :2].min(axis=1), finite[..., :2].max(axis=1)
    boxes = np.concatenate((low - 12, high + 12), axis=1).astype(np.float32)
    return Detections(boxes, np.full(len(joints), score, np.float32), joints)


def described(picture: ImageArray, seen: Detections, size_px: tuple[int, int] = SIZE_PX) -> Float32Array:
    rows = describe(picture, seen, size_px)
    assert rows is not None
    assert rows.shape == (len(seen.scores), SIZE)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    assert np.isfinite(rows).all()
    return rows


def weights(rows: Float32Array) -> Float32Array:
    return split(rows)[1].astype(np.float32)


@pytest.fixture
def scene() -> tuple[ImageArray, Detections]:
    """Return people in red and blue, grey and black, red and black; none occludes another."""
    seen = people(skeleton(120), skeleton(320), skeleton(520))
    picture = street()
    for joints, shirt, trousers in zip(seen.keypoints_px, (RED, GREY, RED), (BLUE, BLACK, BLACK), strict=True):
        dress(picture, joints, shirt, trousers)
    return picture, seen


LIGHTS: dict[str, Callable[[Float32Array], Float32Array]] = {
    "as it was": lambda picture: picture,
    "half the gain": lambda picture: picture * 0.5,
    "more gain": lambda picture: picture * 1.4,
    "warmer": lambda picture: picture * np.array((1.2, 1.0, 0.8), np.float32),
    "colder": lambda picture: picture * np.array((0.8, 1.0, 1.25), np.float32),
    "noise": lambda picture: picture + np.random.default_rng(1).normal(0, 6, picture.shape).astype(np.float32),
}


def distances(first: Float32Array, second: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Compare all pairs of (A, SIZE) and (B, SIZE) as the tracker does; returns two arrays (A, B)."""
    apart, shared = np.array([[distance(a, b) for b in second.astype(float)] for a in first.astype(float)]).transpose(
        2, 0, 1
    )
    return apart, shared


@pytest.mark.parametrize("light", LIGHTS)
def test_people_match_themselves_in_other_light(scene: tuple[ImageArray, Detections], light: str) -> None:
    picture, seen = scene
    later = np.clip(LIGHTS[light](picture.astype(np.float32)), 0, 255).astype(np.uint8)
    apart, shared = distances(described(picture, seen), described(later, seen))
    assert np.diag(apart).max() < SAME_PERSON_BELOW
    assert apart[~np.eye(3, dtype=bool)].min() > OTHER
    assert shared.min() > 0.8


def test_person_in_shadow_matches_themselves_better_than_others(
    scene: tuple[ImageArray, Detections],
) -> None:
    picture, seen = scene
    shaded = picture.copy()
    shaded[:, :220] = (shaded[:, :220] * 0.6).astype(np.uint8)
    apart, _ = distances(described(picture, seen), described(shaded, seen))
    assert apart[0].argmin() == 0


def test_only_the_part_that_differs_separates_two_people(scene: tuple[ImageArray, Detections]) -> None:
    rows = described(*scene)
    features = split(rows)[0]
    alike = np.einsum("pf,pf->p", features[0], features[2])
    assert alike[:2].min() > 0.9
    assert alike[2:].max() < 0.6


def test_smaller_picture_of_the_same_source_gives_the_same_descriptor(scene: tuple[ImageArray, Detections]) -> None:
    picture, seen = scene
    smaller = cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA)
    apart, _ = distances(described(picture, seen), described(smaller, seen))
    assert np.diag(apart).max() < SAME_PERSON_BELOW


def test_body_in_side_view_is_sampled_on_the_body(scene: tuple[ImageArray, Detections]) -> None:
    picture, seen = scene
    turned = people(*(skeleton(x, half_width_px=0.5) for x in (120, 320, 520)))
    apart, _ = distances(described(picture, seen), described(picture, turned))
    assert np.diag(apart).max() < SAME_PERSON_BELOW


def test_points_hidden_by_a_nearer_person_have_no_weight() -> None:
    picture = street()
    behind, nearer = skeleton(300), skeleton(310, top_px=180, half_width_px=30)
    dress(picture, behind, RED, BLUE)
    alone = described(picture, people(behind))
    dress(picture, nearer, GREEN, GREY)
    rows = described(picture, people(behind, nearer))
    assert weights(rows)[0, 1:].max() == 0
    assert weights(rows)[1].min() > 0.8
    assert not split(rows)[0][0, weights(rows)[0] == 0].any()
    apart, shared = distances(rows, alone)
    assert apart[0, 0] < SAME_PERSON_BELOW
    assert 0 < shared[0, 0] < 0.3


def test_detection_with_a_low_score_occludes_no_one() -> None:
    seen = people(skeleton(300), skeleton(312, top_px=180), score=0.2)
    assert weights(described(street(), seen)).min() > 0.8


def test_joints_without_confidence_take_the_weight_of_their_parts() -> None:
    joints = skeleton(300)
    joints[13:, 2] = 0.05
    (row,) = weights(described(street(), people(joints)))
    assert row[:2].min() > 0.8
    assert row[2:].max() < 0.1


@pytest.mark.parametrize(
    ("x_px", "top_px", "unseen", "seen"),
    [
        (300.0, 350.0, slice(2, 4), slice(0, 1)),
        (300.0, -110.0, slice(0, 1), slice(3, 4)),
        (700.0, 100.0, slice(0, 4), slice(0)),
    ],
    ids=["below", "above", "right"],
)
def test_points_outside_the_picture_have_no_weight(x_px: float, top_px: float, unseen: slice, seen: slice) -> None:
    joints = skeleton(x_px, top_px)
    (raw,) = weights(described(street(), people(joints)))
    joints[:, :2] = np.clip(joints[:, :2], 0, np.array(SIZE_PX, np.float32))
    (clipped,) = weights(described(street(), people(joints)))
    assert raw[unseen].max() == clipped[unseen].max() == 0
    assert (raw[seen] > 0.8).all()
    assert (clipped[seen] > 0.8).all()


def test_picture_without_people_has_no_descriptors() -> None:
    none = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 17, 3), np.float32))
    assert described(street(), none).shape == (0, SIZE)


@pytest.mark.parametrize("joints", [0, 4, 21])
def test_other_skeletons_have_no_descriptor(joints: int) -> None:
    seen = Detections(np.ones((2, 4), np.float32), np.ones(2, np.float32), np.ones((2, joints, 3), np.float32))
    assert describe(street(), seen, SIZE_PX) is None


def test_coinciding_and_non_finite_joints_give_finite_descriptors() -> None:
    point = np.full((17, 3), (550.5, 60.5, 0.9), np.float32)
    tiny = skeleton(400, height_px=3.0, half_width_px=0.2)
    broken = skeleton(200)
    broken[5, 0], broken[12, 2], broken[13, 1] = np.nan, np.nan, np.inf
    unseen = np.zeros((17, 3), np.float32)
    rows = described(street(), people(point, tiny, broken, unseen))
    assert weights(rows)[:2].min() > 0.8
    assert weights(rows)[2, :3].max() < 0.5
    assert not rows[3].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 640), (480, 2)])
def test_pictures_of_any_size_have_descriptors(shape: tuple[int, int]) -> None:
    described(np.zeros((*shape, 3), np.uint8), people(skeleton(320)))


def test_descriptor_does_not_depend_on_the_number_of_other_people(scene: tuple[ImageArray, Detections]) -> None:
    picture, seen = scene
    alone = [described(picture, people(joints)) for joints in seen.keypoints_px]
    np.testing.assert_allclose(np.concatenate(alone), described(picture, seen), atol=1e-6)


def test_descriptors_survive_encoding(scene: tuple[ImageArray, Detections]) -> None:
    rows = described(*scene)
    sent = pose_frame(people=3, appearance=rows)
    raw = {
        name.encode() if isinstance(name, str) else name: value if isinstance(value, bytes) else str(value).encode()
        for name, value in encode_poses(sent, PROVENANCE, 7).items()
    }
    received, _ = decode_poses(raw)
    assert isinstance(received, PoseFrame)
    assert received.appearance is not None
    np.testing.assert_array_equal(received.appearance, rows)
    assert split(received.appearance)[1].shape == (3, len(PARTS))
