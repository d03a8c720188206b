"""Scripted skeletons: kinematics by arithmetic, and truth that does not depend on the frame rate."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.scenes.bodies import ANKLE, SHANK, THIGH
from benchmarks.skeletons.kinds import FALLS, KINDS, NOT_FALLS
from benchmarks.skeletons.pose import joints, posture
from benchmarks.skeletons.postures import SITTING_ON_CHAIR
from benchmarks.skeletons.scene import scene
from posebus.messages import TrackState

LEFT_SHOULDER, LEFT_HIP, LEFT_KNEE, LEFT_ANKLE = 5, 11, 13, 15


def test_a_standing_body_has_its_hips_a_leg_above_the_ankles() -> None:
    body = joints(posture(arm_out=0.0)[None])[0]
    assert body[LEFT_ANKLE, 2] == pytest.approx(ANKLE)
    assert body[LEFT_HIP, 2] == pytest.approx(ANKLE + SHANK + THIGH)


def test_a_knee_bent_at_a_right_angle_puts_the_hips_of_a_sitting_body_at_the_height_of_the_shank() -> None:
    body = joints(posture(thigh=np.pi / 2, knee=np.pi / 2)[None])[0]
    assert body[LEFT_HIP, 2] == pytest.approx(ANKLE + SHANK)
    assert body[LEFT_KNEE, 0] - body[LEFT_HIP, 0] == pytest.approx(THIGH)


def test_a_body_pitched_by_a_right_angle_lies_flat() -> None:
    body = joints(posture(pitch=np.pi / 2)[None])[0]
    assert body[LEFT_SHOULDER, 2] == pytest.approx(body[LEFT_HIP, 2])
    assert body[LEFT_SHOULDER, 0] > body[LEFT_HIP, 0] > body[LEFT_ANKLE, 0]


def test_an_angle_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError, match="tail"):
        posture(tail=1.0)


@pytest.mark.parametrize("kind", ["fall_left", "leave", "push_ups", "run", "walk"])
def test_a_script_does_not_depend_on_the_frame_rate(kind: str) -> None:
    slow, fast = scene(kind, 5, 3), scene(kind, 30, 3)
    assert slow.truth == fast.truth
    np.testing.assert_allclose(fast.true_px[::6][: len(slow.true_px)], slow.true_px[: len(fast.true_px[::6])])
    np.testing.assert_array_equal(fast.detected[::6][: len(slow.detected)], slow.detected[: len(fast.detected[::6])])


def test_truth_has_no_gaps_and_falls_are_in_falls_alone() -> None:
    for kind in KINDS:
        truth = scene(kind, 5, 1).truth
        assert truth[0].start_s == 0.0
        assert all(one.end_s == pytest.approx(two.start_s) for one, two in pairwise(truth))
        assert any(one.label == "fall" for one in truth) == (kind in FALLS)
    assert not FALLS.keys() & NOT_FALLS.keys()


def test_without_errors_keypoints_are_at_the_joints() -> None:
    exact = scene("walk", 10, 2, noise=0.0, missing=0.0)
    np.testing.assert_allclose(exact.keypoints_px[..., :2], exact.true_px, rtol=1e-4)
    noisy = scene("walk", 10, 2)
    assert np.abs(noisy.keypoints_px[..., :2] - noisy.true_px).max() > 1.0


def test_feet_of_a_standing_person_stay_where_they_are() -> None:
    still = scene("stand", 10, 4, noise=0.0, missing=0.0)
    feet = still.true_px[:, 15:17].mean(axis=1)
    assert np.ptp(feet, axis=0).max() < 1.0


def test_messages_agree_with_the_scene() -> None:
    leaving = scene("leave", 10, 0)
    poses, tracks = leaving.pose_frames(), leaving.track_frames()
    assert [len(frame.boxes_xyxy_px) for frame in poses] == leaving.detected.astype(int).tolist()
    states = [track.state for frame in tracks for track in frame.tracks]
    assert states[0] == TrackState.CONFIRMED
    assert TrackState.ENDED in states
    for frame, at_s, detected in zip(tracks, leaving.times_s, leaving.detected, strict=True):
        assert frame.captured_at_ns == round(at_s * 1e9)
        assert all(track.coasted != detected for track in frame.tracks)


def test_a_chair_is_as_high_as_a_shank() -> None:
    hips = joints(SITTING_ON_CHAIR[None])[0, LEFT_HIP, 2]
    assert 0.2 < hips < 0.35
