"""Reported boxes and skeletons tremble less than detections and hardly lag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.scenes import STANDING, person, pose_frame, run, walk

from posebus.messages import PoseFrame
from tracking.motion.smoothing import LEAST_CONFIDENCE

WRIST = 9
HEIGHT_PX = 200.0


def standing(fps: float, seconds: float) -> list[PoseFrame]:
    """A person who stands still, all joints visible."""
    return [pose_frame([person(600, 300, HEIGHT_PX)], seq, seq / fps) for seq in range(round(fps * seconds))]


def joints(frame: PoseFrame) -> np.ndarray:
    """The joints (17, 3) of the only person, as a view that can be written to."""
    assert frame.keypoints_px is not None
    return frame.keypoints_px[0]


def reported(frames: list[PoseFrame]) -> np.ndarray:
    """The reported joints of the only person: (frames, 17, 3)."""
    result = []
    for frame in run(frames):
        (track,) = frame.tracks
        assert track.keypoints_px is not None
        result.append(track.keypoints_px)
    return np.array(result)


def true_joints() -> np.ndarray:
    """True positions of the standing person's joints: (17, 2)."""
    box = person(600, 300, HEIGHT_PX)
    return box[:2] + STANDING * (box[2:] - box[:2])


def moving_wrist(fps: float, path_px: Callable[[float], float]) -> np.ndarray:
    """Reported offset of the wrist in each frame, if it moves to the right by `path_px` of the time."""
    frames = standing(fps, 4.0)
    for frame in frames:
        joints(frame)[WRIST, 0] += path_px(frame.seq / fps)
    return np.asarray(reported(frames)[:, WRIST, 0] - true_joints()[WRIST, 0])


class TestTrembling:
    @pytest.mark.parametrize("fps", [10, 25, 60])
    def test_resting_joints_tremble_less_than_detections(self, fps: int) -> None:
        rng = np.random.default_rng(0)
        noise_px = 0.01 * HEIGHT_PX
        frames = standing(fps, 8.0)
        for frame in frames:
            joints(frame)[:, :2] += rng.normal(0, noise_px, (17, 2))
        off = reported(frames)[2 * fps :, :, :2] - true_joints()
        assert off.std() < (0.8 if fps == 10 else 0.65) * noise_px
        assert np.abs(off.mean(axis=0)).max() < 0.4 * noise_px

    def test_trembling_box_does_not_shake_the_skeleton(self) -> None:
        rng = np.random.default_rng(0)
        frames = standing(25, 6.0)
        for frame in frames:
            frame.boxes_xyxy_px[0] += rng.normal(0, 6, 4).astype(np.float32)
        off = reported(frames)[25:, :, :2] - true_joints()
        assert off.std() < 0.4 * 6

    def test_boxes_have_less_noise_than_detections_and_hardly_lag(self) -> None:
        rng = np.random.default_rng(0)
        true = walk([i / 25 for i in range(150)], lanes=1, speed_px_s=150)
        noise = rng.normal(0, 8, (150, 4)).astype(np.float32)
        noisy = [replace(f, boxes_xyxy_px=f.boxes_xyxy_px + noise[f.seq]) for f in true]
        off = [r.tracks[0].box_xyxy_px - f.boxes_xyxy_px[0] for r, f in zip(run(noisy), true, strict=True)]
        assert np.std(off[25:]) < 0.75 * 8
        steady = [r.tracks[0].box_xyxy_px - f.boxes_xyxy_px[0] for r, f in zip(run(true), true, strict=True)]
        assert np.abs(steady[25:]).max() < 2.0


class TestSteadyWidth:
    """The width of a detected box swings with the limbs; the reported width is steady."""

    @staticmethod
    def reported_widths(boxes: list[np.ndarray], fps: float = 25) -> np.ndarray:
        """Widths reported for one person's boxes."""
        results = run([pose_frame([box], seq, seq / fps) for seq, box in enumerate(boxes)])
        return np.array([track.box_xyxy_px[2] - track.box_xyxy_px[0] for result in results for track in result.tracks])

    @pytest.mark.parametrize("fps", [10, 25, 60])
    def test_swinging_limbs_are_mostly_averaged(self, fps: int) -> None:
        swings = [25 * np.sin(2 * np.pi * 1.8 * seq / fps) for seq in range(6 * fps)]
        boxes = [person(600, 300) + np.array([-swing / 2, 0, swing / 2, 0], np.float32) for swing in swings]
        settled = self.reported_widths(boxes, fps)[2 * fps :]
        assert settled.std() < 0.35 * np.std(swings)
        assert settled.mean() == pytest.approx(80, abs=3)

    def test_width_of_an_approaching_person_grows(self) -> None:
        """By a tenth every second, as for a person who walks towards the camera from 13 m."""
        boxes = [person(600, 300, 150 * 1.1 ** (seq / 25)) for seq in range(125)]
        tracked = self.reported_widths(boxes)
        assert tracked[-1] / (boxes[-1][2] - boxes[-1][0]) > 0.93

    def test_width_cut_by_the_border_is_followed_at_once(self) -> None:
        boxes = [person(1150 + 4 * seq, 300) for seq in range(30)]
        boxes = [np.minimum(box, np.float32(1280)) for box in boxes]
        tracked = self.reported_widths(boxes)
        for seq in range(25, 30):
            assert tracked[seq] == pytest.approx(boxes[seq][2] - boxes[seq][0], abs=4)


class TestLag:
    def test_skeleton_of_a_walker_does_not_lag(self) -> None:
        frames = walk([i / 25 for i in range(150)], lanes=1, speed_px_s=150)
        true = np.array([joints(frame) for frame in frames])
        assert np.abs(reported(frames)[50:, :, :2] - true[50:, :, :2]).max() < 2.0

    @pytest.mark.parametrize("fps", [25, 60])
    def test_moving_joint_is_followed_with_little_lag(self, fps: int) -> None:
        """A wrist that swings by 60 px to both sides, once in 1.5 s, lags less than 30 ms."""
        seconds = np.arange(4 * fps) / fps

        def swing(time_s: float) -> float:
            return 60 * np.sin(2 * np.pi * time_s / 1.5)

        tracked = moving_wrist(fps, swing)[fps:]
        true = np.array([swing(s) for s in seconds])[fps:]
        delays_s = np.arange(0.0, 0.2, 0.002)
        late = [np.abs(tracked - [swing(s - delay) for s in seconds[fps:]]).mean() for delay in delays_s]
        assert delays_s[int(np.argmin(late))] < 0.03
        assert np.abs(tracked).max() > 57
        assert np.abs(tracked - true).mean() < 5

    @pytest.mark.parametrize("fps", [10, 25, 60])
    def test_leap_is_followed_at_once(self, fps: int) -> None:
        tracked = moving_wrist(fps, lambda time_s: 60.0 * (time_s >= 2.0))
        assert np.abs(tracked[: 2 * fps]).max() < 1e-3
        assert tracked[2 * fps] > 50

    def test_small_displacement_is_followed_in_the_same_time_at_any_frame_rate(self) -> None:
        """A displacement smaller than the noise of detections is mostly followed after a fifth of a second."""
        followed = {}
        for fps in (10, 20, 30, 60):
            tracked = moving_wrist(fps, lambda time_s: 2.0 * (time_s >= 2.0))
            followed[fps] = tracked[round(2.2 * fps) - 1] / 2.0
        assert min(followed.values()) > 0.6
        assert max(followed.values()) < 0.95
        assert max(followed.values()) - min(followed.values()) < 0.2


class TestHiddenJoint:
    @pytest.mark.parametrize("confidence", [0.0, 0.02])
    def test_hidden_joint_keeps_its_position(self, confidence: float) -> None:
        """For half a second the network guesses the wrist 60 px off."""
        frames = standing(25, 3.0)
        for frame in frames[40:52]:
            joints(frame)[WRIST, 0] += 60
            joints(frame)[WRIST, 2] = confidence
        tracked = reported(frames)[:, WRIST]
        off = np.abs(tracked[:, 0] - true_joints()[WRIST, 0])
        assert off[40:52].max() < 25
        # A joint that was detected once keeps a confidence above 0: its next detection is not its first.
        np.testing.assert_allclose(tracked[40:52, 2], max(confidence, LEAST_CONFIDENCE), atol=1e-6)
        assert off[53:].max() < 5

    def test_hidden_joint_moves_along_with_the_body(self) -> None:
        """The network leaves a walker's wrist behind; the reported one moves on with the body."""
        frames = walk([i / 25 for i in range(75)], lanes=1, speed_px_s=120)
        true = np.array([joints(frame).copy() for frame in frames])
        for frame in frames[50:]:
            joints(frame)[WRIST, :2] = true[49, WRIST, :2]
            joints(frame)[WRIST, 2] = 0.01
        tracked = reported(frames)[:, WRIST, 0]
        assert tracked[62] - tracked[49] > 0.7 * (true[62, WRIST, 0] - true[49, WRIST, 0])

    def test_joint_detected_for_the_first_time_is_adopted_at_once(self) -> None:
        frames = standing(25, 2.0)
        for frame in frames[:25]:
            joints(frame)[WRIST] = 0.0
        tracked = reported(frames)[:, WRIST]
        np.testing.assert_allclose(tracked[25, :2], true_joints()[WRIST], atol=0.01)
