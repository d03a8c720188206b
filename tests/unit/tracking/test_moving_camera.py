"""Frames that say how the camera moved: tracks stay with the scene."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.moving import Matrix, confirmed, seen, shift, truthful, zoom
from unit.tracking.scenes import in_state, person, plain, pose_frame, run, run_with_handovers, walk

from posebus.messages import CameraMotion, PoseFrame, Uninferred
from tracking import PoseTracker


def roll(angle: float) -> Matrix:
    cosine, sine = math.cos(angle), math.sin(angle)
    return (cosine, -sine, 200 - 200 * cosine + 350 * sine, sine, cosine, 350 - 200 * sine - 350 * cosine)


CAMERAS: dict[str, Callable[[int], Matrix]] = {
    "pan": lambda seq: shift(60.0 * seq),
    "whip pan": lambda seq: shift(400.0 * min(max(seq - 4, 0), 2)),
    "zoom": lambda seq: zoom(0.87 ** min(seq, 6)),
    "roll": lambda seq: roll(0.03 * seq),
    "shake": lambda seq: shift(80 * math.sin(2.4 * seq), 15 * math.cos(1.9 * seq)),
}


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("people", [1, 3])
def test_ids_and_velocities_are_those_of_a_still_camera(camera: str, people: int) -> None:
    """Also of one person alone, without others that show the same motion."""
    still = walk(np.arange(10) / 10, lanes=people)
    moving = [seen(frame, CAMERAS[camera](frame.seq), announced=True) for frame in still]
    results = run(moving)
    assert truthful(results, people)
    factor = math.sqrt(abs(np.linalg.det(np.array(moving[-1].camera_motion.matrix).reshape(2, 3)[:, :2])))
    for one, other in zip(results[-1].tracks, run(still)[-1].tracks, strict=True):
        assert np.hypot(*one.velocity_px_s) == pytest.approx(factor * np.hypot(*other.velocity_px_s), rel=0.04)


@pytest.mark.parametrize("announced", [False, True])
def test_people_across_the_border_after_a_zoom_keep_their_ids(announced: bool) -> None:
    """From 1 to 2.4 within half a second: 200 px of the third one's 480 px are below the picture then."""
    boxes = [person(500, 300), person(640, 320), person(760, 410)]
    frames = [
        seen(pose_frame(boxes, seq, seq / 10), zoom(1.19 ** min(max(seq - 8, 0), 5)), announced=announced)
        for seq in range(20)
    ]
    assert truthful(run(frames), 3)


def test_a_still_camera_changes_no_bit() -> None:
    frames = walk(np.arange(12) / 10)
    moving = [replace(frame, camera_motion=CameraMotion(0, (1.0, 0.0, 3.0, 0.0, 1.0, 4.0), 1.0)) for frame in frames]
    assert [plain(result) for result in run(moving)] == [plain(result) for result in run(frames)]


def test_unseen_people_are_predicted_where_the_picture_took_them() -> None:
    """One frame is not inferred, and the next one has no detections."""
    still = walk(np.arange(8) / 10, speed_px_s=0.0)
    tracker = PoseTracker()
    run([seen(frame, shift(0), announced=True) for frame in still[:6]], tracker)
    motion = CameraMotion(0, shift(70, -10), 1.0)
    mark = Uninferred(
        "yard", 1, 6, still[6].captured_at_ns, "file", "lossless", (1280, 720), "rate", camera_motion=motion
    )  # type: ignore[arg-type]
    missed = replace(seen(pose_frame([], 7, 0.7), shift(140, -20), announced=True))
    for result, offset in ((tracker.predict(mark), (70, -10)), (tracker.update(missed), (140, -20))):
        assert len(result.tracks) == 3
        for track, box in zip(result.tracks, still[0].boxes_xyxy_px, strict=True):
            np.testing.assert_allclose(track.box_xyxy_px, box + np.tile(offset, 2), atol=2.0)
            assert track.coasted


def test_a_person_keeps_the_id_when_the_camera_turns_away_and_back() -> None:
    """A person walks to the right border; the camera pans away to the left for 1.5 s and back."""
    frames, offset = [], 0.0
    for seq in range(60):
        offset = 100.0 * min(max(seq - 20, 0), 8, max(43 - seq, 0))
        box = person(1000 + 4 * seq + offset, 360)
        boxes = [box] if box[0] < 1260 else []
        frames.append(replace(pose_frame(boxes, seq, seq / 10), camera_motion=CameraMotion(0, shift(offset), 1.0)))
    results = run(frames)
    assert any(not frame.boxes_xyxy_px.size for frame in frames)
    assert {track.id for result in results for track in result.tracks} == {1}
    assert in_state(results[-1], "confirmed") == [1]


def test_a_person_who_walks_out_of_a_still_picture_ends_soon() -> None:
    """The counterpart: another one who comes in there is another person."""
    frames = []
    for seq in range(40):
        box = person(1000 + 20 * seq, 360)
        frames.append(seen(pose_frame([box] if box[0] < 1260 else [], seq, seq / 10), shift(0), announced=True))
    assert in_state(run(frames)[-1], "ended") == []
    assert not run(frames)[-1].tracks


def cut(frames: list[PoseFrame], at: int) -> list[PoseFrame]:
    return [seen(frame, shift(0), announced=True, shot=int(frame.seq >= at)) for frame in frames]


def test_another_shot_ends_all_tracks_at_once() -> None:
    """Other people stand 150 px farther right."""
    tracker = PoseTracker()
    frames = cut(walk(np.arange(8) / 10), 5)
    results = []
    for frame in frames:
        elsewhere = seen(frame, shift(150.0 * (frame.seq >= 5)))
        results.append(tracker.update(replace(elsewhere, camera_motion=frame.camera_motion)))
        assert tracker.is_cut == (frame.seq == 5)
    assert in_state(results[5], "ended") == [1, 2, 3]
    assert confirmed(results[5:]) == [[4, 5, 6]] * 3


def test_people_who_are_where_they_should_be_contradict_a_cut() -> None:
    """A truck before the lens looks like a cut; two of three people are still seen beside it."""
    frames = cut(walk(np.arange(12) / 10), 5)
    hidden = [
        replace(
            frame,
            boxes_xyxy_px=frame.boxes_xyxy_px[:2],
            scores=frame.scores[:2],
            keypoints_px=frame.keypoints_px[:2],
        )
        if frame.seq == 5
        else frame
        for frame in frames
    ]
    tracker = PoseTracker()
    results = run(hidden, tracker)
    assert confirmed(results)[-1] == [1, 2, 3]
    assert not any(in_state(result, "ended") for result in results)
    assert not tracker.is_cut


def test_a_shot_ends_tracks_in_a_frame_without_inference() -> None:
    tracker = PoseTracker()
    run(cut(walk(np.arange(5) / 10), 9), tracker)
    mark = Uninferred(
        "yard", 1, 5, 500_000_000, "file", "lossless", (1280, 720), "rate", camera_motion=CameraMotion(1, shift(0), 0.0)
    )  # type: ignore[arg-type]
    assert in_state(tracker.predict(mark), "ended") == [1, 2, 3]
    assert tracker.is_cut
    assert not len(tracker.tracks)


def test_shots_count_anew_in_another_epoch() -> None:
    """A camera that reconnects says nothing about the motion since; its people go on."""
    frames = [seen(frame, shift(500), announced=True, shot=4) for frame in walk(np.arange(5) / 10)]
    later = [seen(frame, shift(0), announced=True) for frame in walk(np.arange(5, 9) / 10)]
    later = [
        replace(frame, epoch=2, boxes_xyxy_px=frame.boxes_xyxy_px + np.float32([500, 0, 500, 0]),
                keypoints_px=frame.keypoints_px + np.float32([500, 0, 0])) for frame in later
    ]  # fmt: skip
    tracker = PoseTracker()
    assert truthful(run(frames + later, tracker), 3)
    assert not tracker.is_cut


def test_a_restored_tracker_goes_on_bit_for_bit_while_the_camera_moves() -> None:
    """Half of the frames have `camera_motion`; in the others the detections show it."""
    frames = [
        seen(frame, CAMERAS["shake"](frame.seq), announced=frame.seq % 8 < 4) for frame in walk(np.arange(24) / 10)
    ]
    expected = [plain(result) for result in run(frames)]
    assert [plain(result) for result in run_with_handovers(frames)] == expected


def test_a_snapshot_of_a_release_before_is_read() -> None:
    frames = walk(np.arange(8) / 10)
    tracker, successor = PoseTracker(), PoseTracker()
    run(frames[:4], tracker)
    state = tracker.state_dict()
    del state["camera"]
    successor.load_state(state)
    assert [plain(result) for result in run(frames[4:], successor)] == [
        plain(result) for result in run(frames[4:], tracker)
    ]


@pytest.mark.parametrize(
    "matrix", [(0.001, 0.0, 0.0, 0.0, 0.002, 0.0), (1000.0, 0.0, 0.0, 0.0, 1000.0, 0.0), (1.0, 0.0, 1e6, 0.0, 1.0, 0.0)]
)
def test_an_impossible_motion_leaves_finite_tracks(matrix: Matrix) -> None:
    frames = walk(np.arange(6) / 10)
    frames[3] = replace(frames[3], camera_motion=CameraMotion(0, matrix, 1.0))
    moving = [frame if frame.camera_motion else seen(frame, shift(0), announced=True) for frame in frames]
    for result in run(moving):
        assert all(np.isfinite(track.box_xyxy_px).all() for track in result.tracks)
