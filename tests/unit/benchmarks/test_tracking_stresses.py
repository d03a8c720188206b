"""The frames and detections that each stress of the tracker comparison leaves."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tracking.stresses import (
    STRESSES,
    every_second,
    fifth_missing,
    half_at_random,
    shaken_boxes,
    without_keypoints,
)
from posebus.messages import PoseFrame


def clip(frames: int = 200, people: int = 20) -> list[PoseFrame]:
    """People of 40x100 px side by side; scores and keypoints identify each person."""
    left = np.arange(people)[:, None] * 50.0
    boxes = np.hstack([left, np.zeros_like(left), left + 40, np.full_like(left, 100)]).astype(np.float32)
    scores = np.linspace(0.5, 0.9, people, dtype=np.float32)
    joints = np.repeat(scores[:, None, None], 17, axis=1).repeat(3, axis=2)
    return [PoseFrame("yard", 1, seq, seq * 40_000_000, (1000, 100), boxes, scores, joints) for seq in range(frames)]


def test_every_second_frame_keeps_its_number_and_time() -> None:
    kept = every_second(clip(5))
    assert [(frame.seq, frame.captured_at_ns) for frame in kept] == [(0, 0), (2, 80_000_000), (4, 160_000_000)]


def test_half_of_the_frames_remain_in_order_with_their_times() -> None:
    kept = half_at_random(clip(400), 3)
    assert 150 < len(kept) < 250
    assert [frame.seq for frame in kept] == sorted(frame.seq for frame in kept)
    assert all(frame.captured_at_ns == frame.seq * 40_000_000 for frame in kept)


def test_fifth_of_the_detections_is_removed_with_scores_and_keypoints() -> None:
    frames = clip()
    thinned = fifth_missing(frames)
    assert 0.78 < sum(len(frame.scores) for frame in thinned) / sum(len(frame.scores) for frame in frames) < 0.82
    for frame in thinned:
        assert frame.keypoints_px is not None
        people = np.round(frame.boxes_xyxy_px[:, 0] / 50).astype(int)
        np.testing.assert_array_equal(frame.scores, frames[0].scores[people])
        np.testing.assert_array_equal(frame.keypoints_px[:, 0, 0], frame.scores)


def test_detections_without_keypoints_can_be_removed() -> None:
    assert all(frame.keypoints_px is None for frame in fifth_missing(without_keypoints(clip(3))))


def test_shaken_boxes_deviate_by_a_twentieth_of_their_size() -> None:
    frames = clip()
    moved = np.array([frame.boxes_xyxy_px for frame in shaken_boxes(frames)]) - frames[0].boxes_xyxy_px
    assert moved[..., [0, 2]].std() == pytest.approx(0.05 * 40, rel=0.05)
    assert moved[..., [1, 3]].std() == pytest.approx(0.05 * 100, rel=0.05)
    assert abs(moved.mean()) < 0.1


@pytest.mark.parametrize("title", STRESSES)
def test_stress_depends_on_its_seed_alone_and_leaves_the_clip_unchanged(title: str) -> None:
    stress = STRESSES[title]
    frames = clip(40)
    first, again = stress.apply(frames, 1), stress.apply(frames, 1)
    assert [frame.seq for frame in first] == [frame.seq for frame in again]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.boxes_xyxy_px, other.boxes_xyxy_px)
    for one, other in zip(frames, clip(40), strict=True):
        np.testing.assert_array_equal(one.boxes_xyxy_px, other.boxes_xyxy_px)
        assert one.keypoints_px is not None
    if stress.seeds > 1:
        other_seed = stress.apply(frames, 2)
        shapes = [[len(frame.scores) for frame in result] for result in (first, other_seed)]
        assert shapes[0] != shapes[1] or any(
            not np.array_equal(one.boxes_xyxy_px, other.boxes_xyxy_px)
            for one, other in zip(first, other_seed, strict=True)
        )
